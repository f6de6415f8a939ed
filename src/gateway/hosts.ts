import { domainToASCII } from 'node:url';

/** Decides on host names: lower case, punycode, no trailing dot. */
export type HostRule = (host: string) => boolean;

/**
 * Makes the rule for a list of exact names and `*.suffix` patterns; a suffix matches what is below it, not itself.
 * Throws for an entry that is neither, since a mistake there would silently open or close the wire.
 */
export function hostRule(hosts: readonly string[]): HostRule {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  for (const entry of hosts) {
    const wild = entry.startsWith('*.');
    const name = normalHost(wild ? entry.slice(2) : entry);
    if (name === undefined) {
      throw new Error(`"${entry}" is not a host name the gateway can allow: write "example.com" or "*.example.com".`);
    }
    if (wild) suffixes.push(`.${name}`);
    else exact.add(name);
  }
  return (host) => exact.has(host) || suffixes.some((suffix) => host.length > suffix.length && host.endsWith(suffix));
}

/**
 * A host name in its one normal form, or undefined for what is not a host name: an IP address in any notation (also decimal,
 * octal, hexadecimal, short), a name with characters outside LDH after punycode, or one too long for DNS.
 */
export function normalHost(text: string): string | undefined {
  const name = domainToASCII(text).toLowerCase().replace(/\.$/, '');
  const labels = name.split('.');
  const last = labels.at(-1) ?? '';
  // A name ending in a number is an IPv4 address to URL parsers and to inet_aton (https://url.spec.whatwg.org/#ends-in-a-number-checker).
  if (/^(?:\d+|0x[\da-f]*)$/.test(last)) return undefined;
  if (name.length > 253 || !labels.every((label) => /^[a-z\d_](?:[\w-]{0,61}[a-z\d_])?$/.test(label))) return undefined;
  return name;
}

/** `host:port` of a CONNECT request; undefined if it is not of that form. The host is as it was written. */
export function splitAuthority(authority: string): { readonly host: string; readonly port: number } | undefined {
  const found = /^(\[[^\]]*\]|[^:[\]/@?#\s]+):(\d{1,5})$/.exec(authority);
  if (found === null) return undefined;
  const [, host = '', port] = found;
  return { host, port: Number(port) };
}
