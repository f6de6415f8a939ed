import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Held for as long as the object lives and `release` was not called; the operating system ends it with the process. */
export interface DirectoryLock {
  /** May be called twice. */
  release(): void;
}

/** Another process, or this one, holds the lock of a directory. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError';
}

/** SQLite's result code for a lock somebody else holds: https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/** What to do when the embedded database's directory is taken. */
const ONE_PROCESS =
  'The embedded database serves one process: stop that one, or set DATABASE_URL to a Postgres server, which any number of ' +
  'processes can share.';

/**
 * Takes the right to use `directory` for this process alone; makes the directory if need be. The lock is the one SQLite takes on
 * a file of its own (`lock`): the operating system drops it at the moment the process dies, however it dies, it holds between
 * containers that share the directory, and Node has it built in. `holder.json` beside it only tells people who holds it.
 *
 * @param advice What to do when it is taken.
 * @throws Error naming the holder when another process, or this one, holds the lock.
 */
export function lockDirectory(directory: string, advice: string = ONE_PROCESS): DirectoryLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = new DatabaseSync(join(directory, 'lock'));
  const holderFile = join(directory, 'holder.json');
  try {
    // Nothing is ever written to the file: the transaction is the lock.
    file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    if (!isBusy(error)) throw new Error(`cannot lock ${directory}: ${String(error)}`, { cause: error });
    throw new DirectoryInUseError(`${directory} is in use by ${describeHolder(holderFile)}. ${advice}`, {
      cause: error,
    });
  }
  writeFileSync(holderFile, `${JSON.stringify({ pid: process.pid, host: hostname() })}\n`);
  return {
    release: () => {
      if (file.isOpen) file.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

function describeHolder(holderFile: string): string {
  try {
    const holder: unknown = JSON.parse(readFileSync(holderFile, 'utf8'));
    if (typeof holder === 'object' && holder !== null && 'pid' in holder && 'host' in holder) {
      return `process ${String(holder.pid)} on ${String(holder.host)}`;
    }
  } catch {
    // The holder may be about to write the file.
  }
  return 'another process';
}
