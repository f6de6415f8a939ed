/**
 * Terms. A *database* speaks the Postgres dialect: embedded (PGlite) or a server (`pg`). The store's SQL is written once and
 * names its tables in full (`maestro.…`), so that it depends on no search path. A *pool* is the same database in the shape of
 * `pg.Pool`, for a library that wants one.
 */
export interface Database extends Queryable {
  readonly kind: 'pglite' | 'postgres';
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** A pool whose unqualified names are looked up in `schema`. The caller ends it. */
  pool(schema: string): Promise<Pool>;
  /** Lets go of files and connections. May be called twice. */
  close(): Promise<void>;
}

interface Queryable {
  /** Runs one statement. Rows come typed as asked for, unchecked; `jsonb` comes parsed, `double precision` as a number. */
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<QueryResult<Row>>;
}

export interface Transaction extends Queryable {
  /** Runs several statements, separated by `;`, without parameters. */
  script(sql: string): Promise<void>;
}

export interface QueryResult<Row> {
  readonly rows: readonly Row[];
}

/** The part of `pg.Pool` that libraries use. */
export interface Pool {
  query<Row = Record<string, unknown>>(text: string, params?: readonly unknown[]): Promise<PoolResult<Row>>;
  connect(): Promise<PoolClient>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'connect', listener: (client: PoolClient) => void): this;
  removeAllListeners(event?: string): this;
}

export interface PoolResult<Row> {
  rows: Row[];
  rowCount?: number | null;
}

/** The part of `pg.PoolClient` that libraries use. */
export interface PoolClient {
  query<Row = Record<string, unknown>>(text: string, params?: readonly unknown[]): Promise<PoolResult<Row>>;
  on(event: 'notification', listener: (notification: Notification) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'end', listener: () => void): this;
  removeListener(event: 'notification', listener: (notification: Notification) => void): this;
  removeAllListeners(event?: string): this;
  release(destroy?: boolean): void;
}

/** What `NOTIFY` carries. */
interface Notification {
  channel: string;
  payload?: string;
}
