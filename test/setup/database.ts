import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import './provided.ts';

export interface TestDatabase extends AsyncDisposable {
  /** Connection string of an empty database of its own. */
  readonly url: string;
}

/**
 * Makes an empty database on the private cluster. Disposing it drops it, with whatever is still connected to it.
 *
 * @throws Error when the machine has no Postgres; suites that need it are declared with `describeWith('postgres', …)`.
 */
export async function createDatabase(): Promise<TestDatabase> {
  const cluster = inject('postgresUrl');
  if (cluster === undefined) throw new Error(`there is no Postgres: ${inject('missing').postgres ?? 'not started'}`);
  const name = `test_${randomBytes(8).toString('hex')}`;
  await execute(cluster, `create database ${name}`);
  const url = new URL(cluster);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => execute(cluster, `drop database if exists ${name} with (force)`),
  };
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
