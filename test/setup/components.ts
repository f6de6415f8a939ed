import type { TestProject } from 'vitest/node';
import { ensureImage } from './agent-image.ts';
import { startDocker } from './docker.ts';
import { startPostgres } from './postgres.ts';
import type { ComponentName, Provided } from './provided.ts';
import { startRedis } from './redis.ts';

/** What is running, for all projects of this process: each calls `setup`, the first starts, the last to leave stops. */
interface Shared {
  readonly provided: Promise<Provided>;
  readonly releasers: (() => PromiseLike<void>)[];
  users: number;
}

/** Each project loads this module for itself, so what they share can't live in the module. */
const shelf = globalThis as { maestroTestComponents?: Shared | undefined };

/**
 * vitest's `globalSetup`: starts the real components that integration and end-to-end tests need, hands their addresses to the
 * tests (`inject`, see `provided.ts`) and stops what it started at the end.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (shelf.maestroTestComponents ??= start());
  shared.users += 1;
  const provided = await shared.provided;
  project.provide('redisUrl', provided.redisUrl);
  project.provide('postgresUrl', provided.postgresUrl);
  project.provide('dockerHost', provided.dockerHost);
  project.provide('agentImage', provided.agentImage);
  project.provide('missing', provided.missing);

  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    shelf.maestroTestComponents = undefined;
    for (const release of shared.releasers.reverse()) await release();
  };
}

function start(): Shared {
  const releasers: (() => PromiseLike<void>)[] = [];
  return { provided: startAll(releasers), releasers, users: 0 };
}

async function startAll(releasers: (() => PromiseLike<void>)[]): Promise<Provided> {
  const missing: Partial<Record<ComponentName, string>> = {};
  const attempt = async <T>(name: ComponentName, make: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await make();
    } catch (error) {
      missing[name] = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  };
  const kept = async <T extends AsyncDisposable>(made: Promise<T>): Promise<T> => {
    const component = await made;
    releasers.push(async () => component[Symbol.asyncDispose]());
    return component;
  };

  const docker = attempt('docker', async () => kept(startDocker()));
  const [redis, postgres, engine, agentImage] = await Promise.all([
    attempt('redis', async () => kept(startRedis())),
    attempt('postgres', async () => kept(startPostgres())),
    docker,
    attempt('agentImage', async () => ensureImage((await docker)?.host)),
  ]);
  for (const [name, reason] of Object.entries(missing)) {
    process.stderr.write(`Suites that need ${name} are skipped, because ${reason}\n`);
  }
  return { redisUrl: redis?.url, postgresUrl: postgres?.url, dockerHost: engine?.host, agentImage, missing };
}
