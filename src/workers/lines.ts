import { Writable } from 'node:stream';

/** Longest line handed on; what is beyond is cut off and the line marked. */
const LONGEST_LINE = 4 * 1024 * 1024;

/** Bytes a sink takes in before it makes its writer wait: several of what an engine sends at once. */
const TAKEN_IN = 256 * 1024;

const NEWLINE = 0x0a;

/**
 * A sink that cuts bytes into lines of UTF-8 text, without their newlines, and hands each on before it takes more. A character
 * split between two chunks stays whole. `onLine` gives a promise when it has to be waited for, and then the writer waits.
 */
export function lineSink(onLine: (line: string) => Promise<void> | undefined): Writable {
  let pieces: Buffer[] = [];
  let length = 0;
  const keep = (piece: Buffer): void => {
    // A copy: a piece would keep all of its chunk alive until the line ends.
    if (length < LONGEST_LINE) pieces.push(Buffer.from(piece.subarray(0, LONGEST_LINE - length)));
    length += piece.length;
  };
  const hand = (line: string): Promise<void> | undefined => onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  const flush = (): Promise<void> | undefined => {
    const text = Buffer.concat(pieces).toString('utf8');
    const line = length > LONGEST_LINE ? `${text} … (${length - LONGEST_LINE} bytes more)` : text;
    pieces = [];
    length = 0;
    return hand(line);
  };
  /** Hands on the lines that end in `text`, from one of its offsets on. Waits only where it must: most lines need no promise. */
  const handAll = (text: string, from: number): Promise<void> | undefined => {
    let start = from;
    for (let at = text.indexOf('\n', start); at !== -1; at = text.indexOf('\n', start)) {
      const waiting = hand(text.slice(start, at));
      start = at + 1;
      const next = start;
      if (waiting !== undefined) return waiting.then(() => handAll(text, next));
    }
    return undefined;
  };
  const take = (chunk: Buffer): Promise<void> | undefined => {
    if (chunk.length > LONGEST_LINE) {
      const before = take(chunk.subarray(0, LONGEST_LINE));
      const after = (): Promise<void> | undefined => take(chunk.subarray(LONGEST_LINE));
      return before === undefined ? after() : before.then(after);
    }
    const last = chunk.lastIndexOf(NEWLINE);
    if (last === -1) {
      keep(chunk);
      return undefined;
    }
    // Whole lines are decoded all at once: of a chunk of many, each costs no more than a slice.
    const first = length === 0 ? -1 : chunk.indexOf(NEWLINE);
    if (first !== -1) keep(chunk.subarray(0, first));
    const waiting = first === -1 ? undefined : flush();
    const rest = (): Promise<void> | undefined => {
      const handing = handAll(chunk.toString('utf8', first + 1, last + 1), 0);
      const end = (): void => {
        if (last + 1 < chunk.length) keep(chunk.subarray(last + 1));
      };
      if (handing !== undefined) return handing.then(end);
      end();
      return undefined;
    };
    return waiting === undefined ? rest() : waiting.then(rest);
  };
  return new Writable({
    highWaterMark: TAKEN_IN,
    write(chunk: Buffer, _encoding, done) {
      settle(() => take(chunk), done);
    },
    final(done) {
      settle(() => (length === 0 ? undefined : flush()), done);
    },
  });
}

/** Tells a stream's callback how something went that may or may not have to be waited for. */
function settle(work: () => Promise<void> | undefined, done: (error?: Error | null) => void): void {
  try {
    const waiting = work();
    if (waiting === undefined) done();
    else waiting.then(() => done(), done);
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
  }
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

/** Ends a sink and waits until it has taken in all that was written to it. Rejects with what it failed on. */
export function ended(sink: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.once('error', reject);
    sink.end(() => resolve());
  });
}
