import { Transform } from 'node:stream';

/** Shorter values than this would take ordinary words out of ordinary text. */
const SHORTEST = 8;

/**
 * A stream that passes bytes on, with every line of every secret in them replaced by as many `*`: nothing moves, so an archive or a
 * database stays one. A secret that is cut by the end of a chunk is found as well.
 */
export function maskSecrets(secrets: readonly string[]): Transform {
  const needles = secrets
    .flatMap((secret) => secret.split('\n'))
    .map((line) => Buffer.from(line.trim()))
    .filter(({ length }) => length >= SHORTEST);
  const overlap = Math.max(0, ...needles.map(({ length }) => length - 1));
  let held = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const all = Buffer.concat([held, chunk]);
      for (const needle of needles) mask(all, needle);
      const ready = Math.max(0, all.length - overlap);
      held = all.subarray(ready);
      done(undefined, all.subarray(0, ready));
    },
    flush(done) {
      done(undefined, held);
    },
  });
}

function mask(bytes: Buffer, needle: Buffer): void {
  for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + needle.length)) {
    bytes.fill('*', at, at + needle.length);
  }
}
