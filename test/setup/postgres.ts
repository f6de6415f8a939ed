import { execFile, spawnSync } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { type Background, findProgram, freePort, startBackground, waitUntil } from './background.ts';

const run = promisify(execFile);

export interface TestPostgres extends AsyncDisposable {
  /** Connection string of the cluster's `postgres` database, over loopback, as superuser. */
  readonly url: string;
  /** Of the server as it runs now. */
  readonly pid: number;
  /** Ends the server as a crash would: at once, all connections cut, to be recovered from its log at the next start. */
  crash(): Promise<void>;
  /** Starts it again after a crash, on the same port and directory. */
  restart(): Promise<void>;
}

/**
 * Starts a private Postgres cluster on loopback and on a Unix socket in its own directory. Nothing is synced to disk: what a
 * test writes is gone at its end anyway. Postgres refuses to run as root, so root hands it to the account `postgres`.
 *
 * @param overrides Settings by their names in postgresql.conf, over ours.
 * @throws Error when Postgres is not installed or does not come up within 20 s.
 */
export async function startPostgres(overrides: Readonly<Record<string, string>> = {}): Promise<TestPostgres> {
  const initdb = findProgram('initdb');
  const postgres = findProgram('postgres');
  if (initdb === undefined || postgres === undefined) throw new Error('Postgres is not installed (no initdb)');
  const account = accountForPostgres();
  const directory = await mkdtemp(join(tmpdir(), 'maestro-postgres-'));
  const remove = async (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    if (account !== undefined) await chown(directory, account.uid, account.gid);
    await makeCluster(initdb, join(directory, 'data'), account);
  } catch (error) {
    await remove();
    throw error;
  }
  const port = await freePort();
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${directory}`,
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'max_connections=200',
    ...Object.entries(overrides).map(([name, value]) => `${name}=${value}`),
  ];
  const launch = (): Background =>
    startBackground({
      argv: [postgres, '-D', join(directory, 'data'), ...settings.flatMap((setting) => ['-c', setting])],
      stopSignal: 'SIGINT',
      graceMs: 10_000,
      ...(account === undefined ? {} : { user: account.name }),
    });
  let server = launch();
  const release = async (): Promise<void> => {
    await server.stop();
    await remove();
  };
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const ready = async (): Promise<void> =>
    waitUntil('Postgres', async () => answers(url), { timeoutMs: 20_000, died: server.died });
  try {
    await ready();
  } catch (error) {
    await release();
    throw error;
  }
  return {
    url,
    get pid() {
      return server.pid;
    },
    crash: async () => {
      process.kill(server.pid, 'SIGQUIT');
      await server.stop();
    },
    restart: async () => {
      server = launch();
      await ready();
    },
    [Symbol.asyncDispose]: release,
  };
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Undefined when we are not root and Postgres may run as we are. */
function accountForPostgres(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const uid = spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' });
  const gid = spawnSync('id', ['-g', 'postgres'], { encoding: 'utf8' });
  if (uid.status !== 0)
    throw new Error('Postgres does not run as root, and there is no account "postgres" to run it as');
  return { name: 'postgres', uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function makeCluster(initdb: string, directory: string, account: Account | undefined): Promise<void> {
  const argv = ['-D', directory, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  await run(initdb, argv, account === undefined ? {} : { uid: account.uid, gid: account.gid, cwd: tmpdir() });
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
