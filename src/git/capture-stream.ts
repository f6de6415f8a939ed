import { PassThrough, Writable } from 'node:stream';

/** What a capture prints first, longer than any object id git knows. */
const LONGEST_HEADER = 128;

/** The two halves of a capture's output: the tree's id, then the bytes of the pack. */
export interface CaptureStream {
  /** Where the command's standard output goes. */
  readonly sink: Writable;
  readonly pack: PassThrough;
  /** Object id of the tree; rejects when the output does not begin with one. */
  readonly tree: Promise<string>;
}

/** Splits a capture's output as it comes, holding back nothing but the first line. */
export function captureStream(): CaptureStream {
  const pack = new PassThrough();
  const { promise: tree, resolve, reject } = Promise.withResolvers<string>();
  tree.catch(() => undefined);
  let header: Buffer | undefined = Buffer.alloc(0);
  const fail = (): void =>
    reject(
      new Error(
        `the capture printed no tree id, but: ${JSON.stringify((header ?? '').toString('utf8').slice(0, 100))}`,
      ),
    );
  const pass = (chunk: Buffer, done: (error?: Error | null) => void): void => {
    if (chunk.length === 0 || pack.write(chunk)) done();
    else pack.once('drain', done);
  };
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (header === undefined) {
        pass(chunk, done);
        return;
      }
      header = Buffer.concat([header, chunk]);
      const end = header.indexOf(0x0a);
      if (end === -1 && header.length < LONGEST_HEADER) {
        done();
        return;
      }
      const match = /^tree ([0-9a-f]{40}|[0-9a-f]{64})$/.exec(header.subarray(0, Math.max(end, 0)).toString('latin1'));
      if (match?.[1] === undefined) {
        fail();
        pack.destroy(new Error('the capture printed no tree id'));
        done();
        return;
      }
      resolve(match[1]);
      const rest = header.subarray(end + 1);
      header = undefined;
      pass(rest, done);
    },
    final(done) {
      if (header !== undefined) fail();
      pack.end();
      done();
    },
  });
  pack.on('error', () => sink.destroy());
  sink.on('error', () => undefined);
  return { sink, pack, tree };
}
