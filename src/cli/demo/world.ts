import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startLocalGithub, type LocalGithub } from '../../../local-github/server.ts';
import { startModelEndpoint } from '../../../local-model/server.ts';
import { startApp } from '../../compose/app-part.ts';
import { createRunner } from '../../compose/runner.ts';
import { openShared, type Shared } from '../../compose/shared.ts';
import { startWorkerPart, type EventListener } from '../../compose/worker-part.ts';
import { readConfig, type Config } from '../../config.ts';
import { createLog } from '../../telemetry/log.ts';
import { demoScript, DEMO_FILES, DEMO_OWNER, DEMO_REPOSITORY, DEMO_USER } from './seed.ts';

/** Everything a demonstration needs, in one process: a GitHub, a model if asked for, Maestro. */
export interface World {
  readonly github: LocalGithub;
  readonly shared: Shared;
  readonly config: Config;
  /** Shuts everything down and counts what is still there. */
  close(): Promise<number>;
}

export interface WorldOptions {
  readonly provider: string;
  readonly runner: { readonly name: 'docker'; readonly image: string } | { readonly name: 'local' };
  readonly logLevel: string;
  readonly onEvent?: EventListener;
  /** Id of a second provider that is played by the scripted agent. */
  readonly understudy?: string;
  /** Settings beside the demonstration's own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a world in a temporary directory, on free ports, on loopback. */
export async function openWorld(options: WorldOptions): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(path.join(tmpdir(), 'maestro-demo-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const github = stack.use(
    await startLocalGithub({
      seed: {
        owner: DEMO_OWNER,
        users: [{ login: DEMO_USER, name: 'Alice', role: 'admin' }],
        repositories: [{ name: DEMO_REPOSITORY, private: true, files: DEMO_FILES }],
      },
    }),
  );
  const key = 'demo-model-key';
  const model =
    options.provider === 'scripted'
      ? undefined
      : stack.use(await startModelEndpoint({ port: 0, keys: [key], script: demoScript }));
  const config = readConfig({
    APP_ID: String(github.app.id),
    PRIVATE_KEY: github.app.privateKey,
    WEBHOOK_SECRET: github.app.webhookSecret,
    GHE_HOST: github.host,
    GHE_PROTOCOL: 'http',
    PORT: '0',
    MAESTRO_HOME: path.join(home, 'maestro'),
    MAESTRO_PROVIDER: options.provider,
    MAESTRO_RUNNER: options.runner.name,
    MAESTRO_STATUS_SECONDS: '1',
    ...(model === undefined
      ? {}
      : {
          ANTHROPIC_API_KEY: key,
          ANTHROPIC_BASE_URL: model.url,
          OPENAI_API_KEY: key,
          OPENAI_BASE_URL: model.url,
          GEMINI_API_KEY: key,
          GEMINI_BASE_URL: model.url,
        }),
    ...(options.runner.name === 'docker' ? { MAESTRO_IMAGE: options.runner.image } : {}),
    ...options.env,
  });
  const log = createLog({ level: options.logLevel });
  const shared = stack.use(await openShared(config, log));
  const understudy = options.understudy === undefined ? {} : { understudy: options.understudy };
  const listener = options.onEvent === undefined ? {} : { onEvent: options.onEvent };
  stack.use(await startWorkerPart(shared, { ...listener, ...understudy }));
  const app = stack.use(await startApp(shared, understudy));
  github.control.setWebhookUrl(`${app.url ?? ''}/api/github/webhooks`);
  const everything = stack.move();
  return {
    github,
    shared,
    config,
    close: async () => {
      await github.control.hooksQuiet();
      await everything.disposeAsync();
      return await countLeftovers(config, home);
    },
  };
}

/** Jobs and lanes that survived the shutdown. */
async function countLeftovers(config: Config, home: string): Promise<number> {
  const runner = createRunner(config, createLog({ level: 'silent' }));
  try {
    const jobs = await runner.reap(() => false);
    const lanes = await runner.listLanes();
    for (const name of lanes) await runner.removeLane({ name });
    return jobs.length + lanes.length;
  } finally {
    await runner.close();
    await rm(home, { recursive: true, force: true });
  }
}
