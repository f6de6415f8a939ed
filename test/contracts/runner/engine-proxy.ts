import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Stands between a client and a Docker engine, to break connections the way a network or a restarting engine does. */
export interface EngineProxy extends AsyncDisposable {
  readonly socketPath: string;
  /** Breaks the open connections whose latest requests match, as soon as there is one. */
  cut(request: RegExp): Promise<void>;
}

export async function createEngineProxy(enginePath: string): Promise<EngineProxy> {
  const directory = await mkdtemp(join(tmpdir(), 'maestro-engine-'));
  const socketPath = join(directory, 'docker.sock');
  const open = new Map<Socket, string>();
  const server = createServer((client) => {
    const engine = connect(enginePath);
    open.set(client, '');
    client.on('data', (chunk) => open.set(client, (open.get(client) + chunk.toString('latin1')).slice(-4_000)));
    client.pipe(engine).pipe(client);
    for (const socket of [client, engine]) socket.on('error', () => {});
    client.on('close', () => {
      open.delete(client);
      engine.destroy();
    });
    engine.on('close', () => client.destroy());
  });
  server.listen(socketPath);
  await once(server, 'listening');
  return {
    socketPath,
    async cut(request) {
      for (let tries = 0; tries < 100; tries += 1) {
        const hit = [...open].filter(([, text]) => request.test(text)).map(([client]) => client);
        for (const client of hit) client.destroy();
        if (hit.length > 0) return;
        await delay(20);
      }
      throw new Error(`No connection asked for ${request}`);
    },
    async [Symbol.asyncDispose]() {
      for (const client of open.keys()) client.destroy();
      server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
