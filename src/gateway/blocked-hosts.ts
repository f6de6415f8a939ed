import type { BlockedHost } from './gateway.ts';

/** Hosts remembered by name; an agent may ask for any number of them. */
const REMEMBERED = 100;
const OTHERS = '(others)';

/** Counts refused hosts: constant in size, whatever an agent asks for. */
export interface BlockedHosts {
  /** `host` as the agent wrote it; what is not printable or too long is cut. */
  readonly add: (host: string) => void;
  /** Most often first. */
  readonly list: () => readonly BlockedHost[];
}

/** Makes an empty count. */
export function createBlockedHosts(): BlockedHosts {
  const counts = new Map<string, number>();
  return {
    add(host) {
      const printable = host
        .toLowerCase()
        .replace(/[^\x21-\x7e]/g, '?')
        .replace(/\.$/, '')
        .slice(0, 253);
      const name = counts.has(printable) || counts.size < REMEMBERED ? printable : OTHERS;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    },
    list: () => [...counts].map(([host, count]) => ({ host, count })).sort((a, b) => b.count - a.count),
  };
}
