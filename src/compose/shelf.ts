import path from 'node:path';
import type { Config } from '../config.ts';
import { createDiskShelf } from '../sessions/disk-shelf.ts';
import type { Shelf } from '../sessions/shelf.ts';
import type { Log } from '../telemetry/log.ts';
import { secretsOf } from './secrets.ts';

/** Largest archive of one conversation, before it is compressed: far beyond any that a model could still read. Bytes. */
const MOST_BYTES = 128 * 1024 ** 2;

/** The shelf of earlier conversations in this installation's home. */
export function shelfOf(config: Config, log: Log): Shelf {
  return createDiskShelf({
    directory: path.join(config.MAESTRO_HOME, 'sessions'),
    secrets: () => secretsOf(config),
    mostBytes: MOST_BYTES,
    budgetBytes: config.MAESTRO_SESSIONS_MB * 1024 ** 2,
    keepMs: config.MAESTRO_KEEP_DAYS * 24 * 3_600_000,
    log,
  });
}
