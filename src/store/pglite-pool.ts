import { EventEmitter } from 'node:events';
import type { PGlite, Results, Transaction } from '@electric-sql/pglite';
import type { Pool, PoolClient, PoolResult } from './database.ts';

/**
 * PGlite in the shape of `pg.Pool`. There is one session under it: clients are views on it, a client that says BEGIN has it to
 * itself until COMMIT or ROLLBACK, and every client that listens hears what any client listens to. The search path is the
 * session's, which does not disturb the store because its SQL names tables in full. `before` is called before every statement and
 * may throw instead of it.
 */
export async function pglitePool(pglite: PGlite, schema: string, before: () => void): Promise<Pool> {
  await pglite.query("SELECT set_config('search_path', $1, false)", [`"${schema.replaceAll('"', '""')}"`]);
  return new PglitePool(pglite, before);
}

class PglitePool extends EventEmitter implements Pool {
  private readonly pglite: PGlite;
  private readonly before: () => void;

  constructor(pglite: PGlite, before: () => void) {
    super();
    this.pglite = pglite;
    this.before = before;
  }

  async query<Row>(text: string, params?: readonly unknown[]): Promise<PoolResult<Row>> {
    this.before();
    return run<Row>(this.pglite, text, params);
  }

  async connect(): Promise<PoolClient> {
    const client = new PgliteClient(this.pglite, this.before);
    this.emit('connect', client);
    return client;
  }

  /** The database stays open: it is the store's. */
  async end(): Promise<void> {
    this.removeAllListeners();
  }
}

class PgliteClient extends EventEmitter implements PoolClient {
  private readonly pglite: PGlite;
  private readonly before: () => void;
  private readonly stopHearing: () => void;
  private open: OpenTransaction | undefined;

  constructor(pglite: PGlite, before: () => void) {
    super();
    // A listener per waiting worker is no leak.
    this.setMaxListeners(0);
    this.pglite = pglite;
    this.before = before;
    this.stopHearing = pglite.onNotification((channel, payload) => this.emit('notification', { channel, payload }));
  }

  async query<Row>(text: string, params?: readonly unknown[]): Promise<PoolResult<Row>> {
    switch (text.trim().toUpperCase()) {
      case 'BEGIN':
        this.before();
        this.open = await beginTransaction(this.pglite);
        return { rows: [], rowCount: null };
      case 'COMMIT':
      case 'ROLLBACK':
        await this.open?.end(text.trim().toUpperCase() === 'COMMIT');
        this.open = undefined;
        return { rows: [], rowCount: null };
      default:
        if (this.open === undefined) this.before();
        return run<Row>(this.open?.handle ?? this.pglite, text, params);
    }
  }

  release(): void {
    this.stopHearing();
    this.removeAllListeners();
  }
}

interface OpenTransaction {
  readonly handle: Transaction;
  end(commit: boolean): Promise<void>;
}

async function beginTransaction(pglite: PGlite): Promise<OpenTransaction> {
  const begun = Promise.withResolvers<Transaction>();
  const verdict = Promise.withResolvers<boolean>();
  const ended = pglite.transaction(async (handle) => {
    begun.resolve(handle);
    if (!(await verdict.promise)) await handle.rollback();
  });
  ended.catch((error: unknown) => begun.reject(error));
  return {
    handle: await begun.promise,
    end: async (commit) => {
      verdict.resolve(commit);
      await ended;
    },
  };
}

async function run<Row>(
  session: Pick<PGlite, 'query' | 'exec'> | Transaction,
  text: string,
  params?: readonly unknown[],
): Promise<PoolResult<Row>> {
  // As in `pg`, a text without parameters may hold several statements.
  const result =
    params === undefined
      ? ((await session.exec(text)).at(-1) as Results<Row> | undefined)
      : await session.query<Row>(text, [...params]);
  return { rows: result?.rows ?? [], rowCount: result?.affectedRows ?? null };
}
