import { Pool as PgPool, type ClientBase } from 'pg';
import type { Log } from '../telemetry/log.ts';
import type { Database, Pool, QueryResult, Transaction } from './database.ts';

/** Connections for the store: more than the number of runs one process works on at a time. */
const MAX_CONNECTIONS = 10;
/** Connections for each pool given to a library: one listens, the others query. */
const POOL_CONNECTIONS = 5;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Connects to a Postgres server and makes sure that it answers.
 *
 * @param options.url Connection string, `postgres://user:password@host:port/database`.
 * @throws Error when the server does not answer or refuses us; the message leaves the password out.
 */
export async function openPostgres(options: { readonly url: string; readonly log: Log }): Promise<Database> {
  const { url, log } = options;
  // What is acknowledged must be on the server's disk, also where the server's default is laxer (promise P1).
  const pool = makePool({ url, log, max: MAX_CONNECTIONS, settings: '-c synchronous_commit=on' });
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    await pool.end();
    throw new Error(
      `cannot use Postgres at ${describeUrl(url)}: ${reason(error)}. Check that it runs and that DATABASE_URL is right.`,
      { cause: error },
    );
  }
  let closing: Promise<void> | undefined;
  return {
    kind: 'postgres',
    query: async (sql, params) => ask(pool, sql, params),
    transaction: async (work) => inTransaction(pool, work),
    pool: async (schema) => {
      const settings = `-c search_path="${schema.replaceAll('"', '""')}"`;
      // The typings of `pg` spell the listeners of `on` as one generic, which TypeScript does not match with overloads.
      return makePool({ url, log, max: POOL_CONNECTIONS, settings }) as unknown as Pool;
    },
    close: async () => {
      closing ??= pool.end();
      return closing;
    },
  };
}

function makePool(options: { url: string; log: Log; max: number; settings: string }): PgPool {
  const pool = new PgPool({
    connectionString: options.url,
    max: options.max,
    options: options.settings,
    application_name: 'maestro',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // Connections break, in use or not, and an error event without a listener would end the process. The pool makes new ones.
  pool.on('error', (error) => options.log.warn({ err: error }, 'database connection lost'));
  pool.on('connect', (client) => {
    client.on('error', (error) => options.log.debug({ err: error }, 'database connection broke'));
  });
  return pool;
}

async function ask<Row>(
  client: PgPool | ClientBase,
  sql: string,
  params?: readonly unknown[],
): Promise<QueryResult<Row>> {
  const { rows } = await client.query(sql, params && [...params]);
  return { rows: rows as Row[] };
}

async function inTransaction<T>(pool: PgPool, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work({
      query: async (sql, params) => ask(client, sql, params),
      script: async (sql) => {
        await client.query(sql);
      },
    });
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/** `host:port/database` of a connection string, never its password. */
function describeUrl(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return 'the address in DATABASE_URL';
  }
}

/** Node reports a refused connection to a host of several addresses as an aggregate without a message. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join('; ');
  return error instanceof Error ? error.message : String(error);
}
