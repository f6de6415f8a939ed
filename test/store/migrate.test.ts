import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { openPglite } from '../../src/store/pglite.ts';
import { MIGRATIONS } from '../../src/store/schema.ts';

let directory: string;
let database: Database;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'maestro-migrate-'));
  database = await openPglite({ directory, flush: () => undefined });
}, 60_000);
afterAll(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

async function versions(): Promise<readonly number[]> {
  const { rows } = await database.query<{ version: number }>('SELECT version FROM maestro.migrations ORDER BY version');
  return rows.map(({ version }) => version);
}

describe('migrate', () => {
  it('brings an empty database to the newest version, and does nothing the second time', async () => {
    await migrate(database);
    await migrate(database);

    expect(await versions()).toStrictEqual(MIGRATIONS.map(({ version }) => version));
  });

  it('applies what is new, all of it or nothing', async () => {
    const version = MIGRATIONS.length + 1;
    const good = { version, name: 'good', sql: 'CREATE TABLE maestro.extra (id integer)' };
    const bad = { version: version + 1, name: 'bad', sql: 'CREATE TABLE maestro.more (id integer); SELECT nonsense' };

    await expect(migrate(database, [...MIGRATIONS, good, bad])).rejects.toThrow(/nonsense/);
    expect(await versions()).toStrictEqual(MIGRATIONS.map((migration) => migration.version));
    await expect(database.query('SELECT * FROM maestro.extra')).rejects.toThrow(/does not exist/);

    await migrate(database, [...MIGRATIONS, good]);
    expect(await versions()).toContain(version);
    await database.query('SELECT * FROM maestro.extra');
  });

  it.each(MIGRATIONS.slice(0, -1).map(({ version }) => version))(
    'brings the database of a Maestro at version %d forward, with all that is in it',
    async (version) => {
      await database.query('DROP SCHEMA maestro CASCADE');
      await migrate(database, MIGRATIONS.slice(0, version));
      await database.query(
        `INSERT INTO maestro.deliveries (guid, event, body, received_at) VALUES ('g', 'push', '{}', 1)`,
      );
      await database.query(
        `INSERT INTO maestro.runs (id, repository_id, created_at, facts, state, tip)
         VALUES ('r1', 7, 1, '{"playbook":{"kind":"file","path":"a.md"}}', 'running', 'abc')`,
      );
      await database.query("INSERT INTO maestro.audit (at, actor, action, detail) VALUES (1, 'a', 'b', 'null')");

      await migrate(database);
      expect(await versions()).toStrictEqual(MIGRATIONS.map((migration) => migration.version));
      const { rows } = await database.query(
        `SELECT (SELECT count(*)::integer FROM maestro.deliveries) AS deliveries, state, tip, work FROM maestro.runs`,
      );
      expect(rows).toStrictEqual([
        { deliveries: 1, state: 'running', tip: 'abc', work: version < 3 ? 'file:a.md' : null },
      ]);
    },
  );

  it('refuses a database that a newer Maestro has written', async () => {
    await database.query("INSERT INTO maestro.migrations (version, name) VALUES (1000, 'from the future')");

    await expect(migrate(database)).rejects.toThrow(/schema version 1000.*Update Maestro/);
  });

  it('makes an audit log that nobody can change', async () => {
    await database.query("INSERT INTO maestro.audit (at, actor, action, detail) VALUES (1, 'a', 'b', 'null')");

    await expect(database.query("UPDATE maestro.audit SET actor = 'c'")).rejects.toThrow(/never changed/);
    await expect(database.query('DELETE FROM maestro.audit')).rejects.toThrow(/never changed/);
  });
});

it('numbers its migrations without a gap', () => {
  expect(MIGRATIONS.map(({ version }) => version)).toStrictEqual(MIGRATIONS.map((_, index) => index + 1));
});
