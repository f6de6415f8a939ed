import path from 'node:path';
import type { Config } from '../config.ts';
import { createDiskShelf } from '../sessions/disk-shelf.ts';
import type { Shelf } from '../sessions/shelf.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { secretsOf } from './secrets.ts';

/** Largest archive of one conversation, before it is compressed: far beyond any that a model could still read. Bytes. */
const MOST_BYTES = 128 * 1024 ** 2;

/** The shelf in a home, to be looked at only. */
export function shelfIn(home: string): Pick<Shelf, 'list'> {
  const log = createLog({ level: 'error' });
  const nothing = { secrets: () => [], mostBytes: 0, budgetBytes: 0, keepMs: 0 };
  return createDiskShelf({ directory: directoryIn(home), ...nothing, log });
}

/** The shelf of earlier conversations in this installation's home. `secrets` are those that came up since the start. */
export function shelfOf(config: Config, log: Log, secrets: ReadonlySet<string>): Shelf {
  return createDiskShelf({
    directory: directoryIn(config.MAESTRO_HOME),
    secrets: () => [...secretsOf(config), ...secrets],
    mostBytes: MOST_BYTES,
    budgetBytes: config.MAESTRO_SESSIONS_MB * 1024 ** 2,
    keepMs: keepMsOf(config),
    log,
  });
}

/** How long what is over is kept: deliveries, conversations, session logs. Milliseconds. */
export function keepMsOf(config: Pick<Config, 'MAESTRO_KEEP_DAYS'>): number {
  return config.MAESTRO_KEEP_DAYS * 24 * 3_600_000;
}

function directoryIn(home: string): string {
  return path.join(home, 'sessions');
}
