import { statfsSync } from 'node:fs';

/**
 * Least space the embedded database must find on its disk before it writes. Its log grows by files of 16 MiB
 * (https://www.postgresql.org/docs/current/wal-internals.html), and one that can't be made stops PGlite for good, so we stop before.
 * Bytes.
 */
export const RESERVE_BYTES = 64 * 1024 ** 2;

/** The embedded database does not write for now: its disk is nearly full. It goes on by itself once there is space again. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError';
}

/**
 * Makes sure that there is space to write in `directory`.
 *
 * @throws DiskFullError naming the directory and what is left.
 */
export function requireSpace(directory: string): void {
  const { bavail, bsize } = statfsSync(directory);
  const left = bavail * bsize;
  if (left >= RESERVE_BYTES) return;
  throw new DiskFullError(
    `the disk of ${directory} is nearly full (${Math.floor(left / 1024 ** 2)} MB left, ${RESERVE_BYTES / 1024 ** 2} MB needed): ` +
      'nothing is written until there is space again. Free some.',
  );
}
