import { mkdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../config.ts';
import { inspectRedis } from '../../queue/redis.ts';
import { inspectStore } from '../../store/inspect.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Check, Examination } from './check.ts';

/** How long our own front door may take to answer. Milliseconds. */
const ANSWER_MS = 5_000;

/** Where Maestro keeps things, and whether it runs here: disk, store, queue, front door. */
export function placeExaminations(config: Config, log: Log): readonly Examination[] {
  return [
    { name: 'disk', examine: () => disk(config) },
    { name: 'store', examine: () => store(config, log) },
    { name: 'queue', examine: () => queue(config) },
    { name: 'front door', examine: () => frontDoor(config) },
  ];
}

async function disk(config: Config): Promise<readonly Check[]> {
  const home = config.MAESTRO_HOME;
  await mkdir(home, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(home);
  const free = Math.floor((bavail * bsize) / 1024 ** 2);
  const detail = `${free.toLocaleString('en')} MB free for ${home}`;
  const wanted = config.MAESTRO_DISK_FLOOR_MB + config.MAESTRO_TREES_MB;
  if (free < config.MAESTRO_DISK_FLOOR_MB) {
    const advice = `Free some: no task begins below ${config.MAESTRO_DISK_FLOOR_MB} MB (MAESTRO_DISK_FLOOR_MB).`;
    return [{ name: 'disk', state: 'failed', detail, advice }];
  }
  if (free < wanted) {
    const advice = `Prepared checkouts may take ${config.MAESTRO_TREES_MB} MB (MAESTRO_TREES_MB); lower that, or free some.`;
    return [{ name: 'disk', state: 'warning', detail, advice }];
  }
  return [{ name: 'disk', state: 'ok', detail }];
}

async function store(config: Config, log: Log): Promise<readonly Check[]> {
  const directory = path.join(config.MAESTRO_HOME, 'database');
  const { kind, state, version, known } = await inspectStore({ databaseUrl: config.DATABASE_URL, directory, log });
  const what = kind === 'pglite' ? `embedded, in ${directory}` : 'on the Postgres server of DATABASE_URL';
  if (state === 'in use') {
    return [{ name: 'store', state: 'ok', detail: `${what}; open in a Maestro that is running` }];
  }
  if (state === 'new') return [{ name: 'store', state: 'ok', detail: `${what}; empty, and made at the first start` }];
  if (version !== undefined && version > known) {
    return [
      {
        name: 'store',
        state: 'failed',
        detail: `${what}; its schema has version ${version}, and this Maestro knows up to ${known}`,
        advice: 'Update Maestro: schemas only go forward.',
      },
    ];
  }
  const behind = version === known ? '' : `, brought to ${known} at the next start`;
  return [{ name: 'store', state: 'ok', detail: `${what}; schema version ${version}${behind}` }];
}

async function queue(config: Config): Promise<readonly Check[]> {
  if (config.REDIS_URL === undefined) return [{ name: 'queue', state: 'ok', detail: 'in the store' }];
  const { address, keepsLog } = await inspectRedis(config.REDIS_URL);
  if (keepsLog) return [{ name: 'queue', state: 'ok', detail: `Redis at ${address}` }];
  const detail = `Redis at ${address} keeps no append-only file: after its restart the queue is rebuilt from the store`;
  const advice = 'Set appendonly yes in its configuration; nothing is lost without, it only takes longer.';
  return [{ name: 'queue', state: 'warning', detail, advice }];
}

async function frontDoor(config: Config): Promise<readonly Check[]> {
  const host = config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST;
  const url = `http://${host}:${config.PORT}/healthz`;
  try {
    const { status } = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (status === 200) return [{ name: 'front door', state: 'ok', detail: `${url} answers` }];
    const detail = `${url} answers ${status}`;
    return [
      { name: 'front door', state: 'failed', detail, advice: "Look at the app's log: its store does not answer." },
    ];
  } catch {
    const detail = `nothing answers at ${url}`;
    const advice = 'Start it with `npm start`; fine if it runs elsewhere.';
    return [{ name: 'front door', state: 'warning', detail, advice }];
  }
}
