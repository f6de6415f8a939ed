import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startModelEndpoint } from '../../local-model/server.ts';
import { ask, grant, startGateway } from './world.ts';

async function temporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'gw-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

test('a socket is open to every user, in a directory of its own that is not', async () => {
  const directory = join(await temporary(), 'sockets');
  const gateway = await startGateway({ directory });
  const one = await gateway.open(grant({ listen: 'socket', session: 'x'.repeat(300) }));
  const two = await gateway.open(grant({ listen: 'socket', session: 'x'.repeat(300) }));
  expect(one.url).toBeUndefined();
  expect((await stat(one.socket!)).mode & 0o777).toBe(0o666);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(dirname(one.socket!)).not.toBe(dirname(two.socket!));
  await one[Symbol.asyncDispose]();
  await one[Symbol.asyncDispose]();
  expect(await readdir(directory)).toHaveLength(1);
  await gateway.close();
  expect(await readdir(directory)).toEqual([]);
});

test('model requests go over a socket as over a port', async () => {
  const model = await startModelEndpoint({ port: 0, keys: ['real'] });
  onTestFinished(() => model[Symbol.asyncDispose]());
  const gateway = await startGateway();
  const wire = await gateway.open(
    grant({ listen: 'socket', model: { protocol: 'anthropic', upstream: model.url, key: 'real' } }),
  );
  const body = JSON.stringify({ model: 'claude-sonnet-4-5', messages: [] });
  const headers = { 'x-api-key': wire.placeholder };
  await expect(ask(wire, { target: '/anthropic/v1/messages', headers, body })).resolves.toMatchObject({ status: 200 });
});

test('a directory too long for a socket is refused with what to do', async () => {
  const gateway = await startGateway({ directory: join(await temporary(), 'd'.repeat(100)) });
  await expect(gateway.open(grant({ listen: 'socket' }))).rejects.toThrow(
    /too long for a Unix socket.*Choose a shorter one/,
  );
});

test.each(['ftp://example.com', 'example.com', 'https://user:pass@example.com', ''])(
  'the upstream %j is refused',
  async (upstream) => {
    const gateway = await startGateway();
    const model = { protocol: 'anthropic', upstream, key: 'k' } as const;
    await expect(gateway.open(grant({ model }))).rejects.toThrow(/must be an http or https URL/);
  },
);
