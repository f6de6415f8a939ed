import { createRunQueue, type QueueConnection } from '../../src/queue/bullmq.ts';
import { POSTGRES_SCHEMA } from '../../src/queue/line.ts';
import { openPglite } from '../../src/store/pglite.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { createLog } from '../../src/telemetry/log.ts';

/*
 * A worker to be killed: takes one run, says which on standard output, and works on it for ever.
 * Arguments: where the queue is (`redis://…`, `postgres://…` or a directory), its prefix.
 */
const [place = '', prefix = ''] = process.argv.slice(2);
const log = createLog({ level: 'error' });

async function connect(): Promise<QueueConnection> {
  if (place.startsWith('redis:')) return { kind: 'redis', url: place };
  const database = place.startsWith('postgres:')
    ? await openPostgres({ url: place, log })
    : await openPglite({ directory: place });
  return { kind: 'postgres', pool: await database.pool(POSTGRES_SCHEMA) };
}

const timing = { lockMs: 1000, stalledMs: 400 };
const queue = createRunQueue({ connection: await connect(), prefix, log, timing });
await queue.process(
  async (id) => {
    process.stdout.write(`${id}\n`);
    return new Promise(() => undefined);
  },
  { concurrency: 1 },
);
process.stdout.write('ready\n');
