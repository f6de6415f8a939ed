import { createPostgresBackend, Queue, runMigrations, Worker } from 'bullmq';
import { POSTGRES_SCHEMA, type Line, type PoolLike } from './line.ts';

/** Jobs in the database the store is in. `name` keeps the queues of one database apart. Closing the line ends the pool. */
export function postgresLine(pool: PoolLike, name: string): Line {
  return {
    prepare: async () => {
      const client = await pool.connect();
      try {
        await runMigrations(client, POSTGRES_SCHEMA);
      } finally {
        client.release();
      }
    },
    check: async () => {
      try {
        await pool.query('SELECT 1');
      } catch (error) {
        throw new Error(
          `the queue cannot use the database: ${error instanceof Error ? error.message : String(error)}. ` +
            'Check that the server at DATABASE_URL runs.',
          { cause: error },
        );
      }
    },
    openQueue: () => new Queue(name, { connection: pool }, createPostgresBackend),
    openWorker: (process, options) =>
      new Worker(name, process, { ...options, connection: pool }, createPostgresBackend),
    close: async () => pool.end(),
  };
}
