import { Redis } from 'ioredis';
import { Client } from 'pg';
import { expect, inject, it } from 'vitest';
import { createDatabase } from '../../setup/database.ts';
import { engineAnswers } from '../../setup/docker.ts';
import { describeWith } from '../../setup/require.ts';

describeWith('redis', 'the private Redis', () => {
  it('never evicts and keeps an append-only file', async () => {
    const redis = new Redis(inject('redisUrl')!);

    const policy = await redis.config('GET', 'maxmemory-policy');
    const appendOnly = await redis.config('GET', 'appendonly');
    redis.disconnect();

    expect(policy).toEqual(['maxmemory-policy', 'noeviction']);
    expect(appendOnly).toEqual(['appendonly', 'yes']);
  });
});

describeWith('postgres', 'the private Postgres', () => {
  it('gives every caller an empty database of its own and drops it afterwards', async () => {
    const first = await createDatabase();
    const second = await createDatabase();
    await query(first.url, 'create table only_here (id int)');

    expect(await tables(first.url)).toBe(1);
    expect(await tables(second.url)).toBe(0);

    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    await expect(tables(first.url)).rejects.toThrow('does not exist');
  });
});

describeWith('docker', 'the Docker engine', () => {
  it('answers', async () => {
    expect(await engineAnswers(inject('dockerHost')!)).toBe(true);
  });
});

async function query(url: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function tables(url: string): Promise<number> {
  const rows = await query(url, `select count(*)::int as n from pg_tables where schemaname = 'public'`);
  return Number(rows[0]?.['n']);
}
