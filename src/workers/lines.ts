import { Writable } from 'node:stream';

/** Longest line handed on; what is beyond is cut off and the line marked. */
const LONGEST_LINE = 4 * 1024 * 1024;

/**
 * A sink that cuts bytes into lines of UTF-8 text, without their newlines, and hands each on before it takes more. A character
 * split between two chunks stays whole. `onLine` may be slow: the writer waits.
 */
export function lineSink(onLine: (line: string) => Promise<void> | void): Writable {
  let pieces: Buffer[] = [];
  let length = 0;
  const keep = (piece: Buffer): void => {
    // A copy: a piece would keep all of its chunk alive until the line ends.
    if (length < LONGEST_LINE) pieces.push(Buffer.from(piece.subarray(0, LONGEST_LINE - length)));
    length += piece.length;
  };
  const flush = async (): Promise<void> => {
    const text = Buffer.concat(pieces).toString('utf8');
    const line = length > LONGEST_LINE ? `${text} … (${length - LONGEST_LINE} bytes more)` : text;
    pieces = [];
    length = 0;
    await onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  };
  const take = async (chunk: Buffer): Promise<void> => {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at !== -1; at = chunk.indexOf(0x0a, from)) {
      keep(chunk.subarray(from, at));
      await flush();
      from = at + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  };
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      take(chunk).then(() => done(), done);
    },
    final(done) {
      if (length === 0) done();
      else flush().then(() => done(), done);
    },
  });
}

/** A sink that remembers the last `bytes` bytes written to it, as text. */
export function tailSink(bytes: number): { readonly sink: Writable; text(): string } {
  let tail = Buffer.alloc(0);
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      tail = Buffer.concat([tail, chunk]);
      if (tail.length > bytes) tail = Buffer.from(tail.subarray(tail.length - bytes));
      done();
    },
  });
  return { sink, text: () => tail.toString('utf8').trim() };
}
