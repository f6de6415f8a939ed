import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { apiBaseUrl, ConfigError, type Config } from '../config.ts';
import { systemClock } from '../domain/clock.ts';
import { createGithubForge, type GithubForge, type GithubForgeOptions } from '../forge/github/github.ts';
import { providerIds } from '../providers/ids.ts';
import type { QueueTiming } from '../queue/bullmq.ts';
import { openQueue } from '../queue/open.ts';
import type { RunQueue } from '../queue/queue.ts';
import type { Shelf } from '../sessions/shelf.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { shelfOf } from './shelf.ts';
import { secretsOf } from './secrets.ts';

/** What the app and the worker of one process share. */
export interface Shared extends AsyncDisposable {
  readonly config: Config;
  readonly log: Log;
  readonly store: Store;
  readonly forge: GithubForge;
  /** Secrets that came up since the start: like those of the configuration, they must be in nothing that is published. */
  readonly secrets: Set<string>;
  /** A queue of its own for each that asks, so that each can close its own. */
  openQueue(): Promise<RunQueue>;
  /** Earlier conversations kept on this machine. */
  readonly shelf: Shelf;
}

/** A running part. Disposing it stops it and waits until it has stopped. */
export interface Part extends AsyncDisposable {
  /** Base URL of what it serves; undefined for a worker. */
  readonly url: string | undefined;
}

/** How fast GitHub may be asked, and how long it may take; the forge's own measure when not said. */
export type Pace = Pick<GithubForgeOptions, 'writesPerMinute' | 'writesPerHour' | 'backoffMs' | 'timeoutMs'>;

/** Opens store and forge. Rejects with what to do about it when one can't be had. */
export async function openShared(
  config: Config,
  log: Log = createLog({ level: config.LOG_LEVEL }),
  pace: Pace = {},
): Promise<Shared> {
  const unknown = config.MAESTRO_PROVIDER.find((name) => !providerIds.some((id) => id === name));
  if (unknown !== undefined) {
    throw new ConfigError(
      `MAESTRO_PROVIDER names "${unknown}"; it may be ${providerIds.join(', ')}, or several of them separated by commas.`,
    );
  }
  await mkdir(config.MAESTRO_HOME, { recursive: true, mode: 0o700 });
  const { store, database } = await openStore({
    databaseUrl: config.DATABASE_URL,
    directory: path.join(config.MAESTRO_HOME, 'database'),
    log,
  });
  const secrets = new Set<string>();
  const forge = openForge(config, log, { pace, secrets });
  return {
    config,
    log,
    store,
    forge,
    secrets,
    shelf: shelfOf(config, log, secrets),
    openQueue: () => openQueue({ redisUrl: config.REDIS_URL, database, log, timing: queueTiming(config) }),
    [Symbol.asyncDispose]: async () => {
      await forge
        .close()
        .catch((error: unknown) => log.warn({ err: error }, 'tokens could not be revoked; they run out by themselves'));
      await store.close();
    },
  };
}

/** The forge of the configured App. Asks nothing of GitHub yet. */
export function openForge(
  config: Config,
  log: Log,
  options: { readonly pace?: Pace; readonly secrets?: ReadonlySet<string> } = {},
): GithubForge {
  return createGithubForge({
    app: { appId: config.APP_ID, privateKey: config.PRIVATE_KEY },
    baseUrl: apiBaseUrl(config),
    markerSecret: createHash('sha256').update(`marker ${config.WEBHOOK_SECRET}`).digest('hex'),
    log,
    clock: systemClock,
    secrets: () => [...secretsOf(config), ...(options.secrets ?? [])],
    ...options.pace,
  });
}

/** A job's lock has to run out before its run's lease does: a run that is handed out again can then soon be claimed. */
function queueTiming(config: Config): Partial<QueueTiming> {
  const leaseMs = config.MAESTRO_LEASE_SECONDS * 1000;
  return { lockMs: Math.round((leaseMs * 2) / 3), stalledMs: Math.round(leaseMs / 3) };
}
