/** One message of an AWS event stream: its headers that are strings, and its payload. */
export interface EventFrame {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
}

/** Bytes of one message: AWS's own limit is 16 MB (https://smithy.io/2.0/aws/amazon-eventstream.html). */
const LARGEST = 16 * 1024 * 1024;

/** Bytes before the headers (two lengths, a checksum) and after the payload (a checksum). */
const PRELUDE = 12;
const TRAILER = 4;

/** Type of a header's value that is a string, and the sizes of those that are not, by type. */
const STRING = 7;
const SIZES: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };

/**
 * Cuts the bytes of an `application/vnd.amazon.eventstream` into messages as they come
 * (https://smithy.io/2.0/aws/amazon-eventstream.html). Checksums are not looked at: who reads the stream does. After what is no
 * message nothing more is given.
 */
export function createFrameReader(take: (frame: EventFrame) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let isBroken = false;
  return (chunk) => {
    if (isBroken) return;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= PRELUDE) {
      const total = rest.readUInt32BE(0);
      const headers = rest.readUInt32BE(4);
      isBroken = total > LARGEST || total < PRELUDE + headers + TRAILER;
      if (isBroken || rest.length < total) return;
      const payload = rest.subarray(PRELUDE + headers, total - TRAILER);
      take({ headers: readHeaders(rest.subarray(PRELUDE, PRELUDE + headers)), payload });
      rest = rest.subarray(total);
    }
  };
}

function readHeaders(bytes: Buffer): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + (bytes[at] ?? 0);
    const name = bytes.toString('utf8', at + 1, nameEnd);
    const type = bytes[nameEnd] ?? -1;
    const start = nameEnd + 1;
    const hasLength = type === STRING || type === 6;
    if (hasLength && start + 2 > bytes.length) break;
    const size = hasLength ? 2 + bytes.readUInt16BE(start) : SIZES[type];
    if (size === undefined) break;
    if (type === STRING) headers[name] = bytes.toString('utf8', start + 2, start + size);
    at = start + size;
  }
  return headers;
}
