/** Bytes a ClientHello may take: one TLS record is at most 16 KiB, and no client's greeting needs more. */
export const LONGEST_HELLO = 16 * 1024 + 5;

/**
 * What the first bytes of a connection say about whom the client wants to talk to: the server name of a TLS ClientHello (RFC 8446
 * §4.1.2, RFC 6066 §3), lower case; `more` when the greeting is not complete yet; `none` when this is not TLS or names nobody.
 */
export type Greeting =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'more' }
  | { readonly kind: 'none' };

const NONE: Greeting = { kind: 'none' };
const MORE: Greeting = { kind: 'more' };

/** Reads the greeting from what has come so far. Never throws. */
export function readGreeting(bytes: Buffer): Greeting {
  const handshake = joinRecords(bytes);
  if (handshake === 'none') return NONE;
  if (handshake.length < 4) return tooLong(bytes);
  if (handshake[0] !== HELLO) return NONE;
  const length = handshake.readUIntBE(1, 3);
  if (handshake.length < 4 + length) return tooLong(bytes);
  const name = serverName(handshake.subarray(4, 4 + length));
  return name === undefined ? NONE : { kind: 'name', name };
}

const HANDSHAKE_RECORD = 22;
const HELLO = 1;

function tooLong(bytes: Buffer): Greeting {
  return bytes.length > LONGEST_HELLO ? NONE : MORE;
}

/** The payload of the handshake records at the start; a greeting may be spread over several. */
function joinRecords(bytes: Buffer): Buffer | 'none' {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] !== HANDSHAKE_RECORD || (bytes[at + 1] ?? 3) !== 3) return at === 0 ? 'none' : Buffer.concat(parts);
    if (bytes.length < at + 5) break;
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    parts.push(bytes.subarray(at + 5, Math.min(end, bytes.length)));
    at = end;
  }
  return Buffer.concat(parts);
}

/** The host_name of the server_name extension of a ClientHello's body. */
function serverName(hello: Buffer): string | undefined {
  try {
    let at = 2 + 32;
    at += 1 + hello.readUInt8(at); // session id
    at += 2 + hello.readUInt16BE(at); // cipher suites
    at += 1 + hello.readUInt8(at); // compression methods
    const end = at + 2 + hello.readUInt16BE(at);
    at += 2;
    while (at + 4 <= end) {
      const type = hello.readUInt16BE(at);
      const length = hello.readUInt16BE(at + 2);
      if (type === 0) return hostName(hello.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return undefined;
  } catch {
    // A read beyond the end: the lengths in it are not those of a ClientHello.
    return undefined;
  }
}

/** One entry, of type host_name: anything else is nothing a client sends. */
function hostName(extension: Buffer): string | undefined {
  const length = extension.readUInt16BE(3);
  if (extension.readUInt8(2) !== 0 || extension.length !== 5 + length) return undefined;
  return extension.subarray(5).toString('latin1').toLowerCase();
}
