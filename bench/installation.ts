import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startLocalGithub, type LocalGithub } from '../local-github/server.ts';
import { isFinal, type Run, type RunTask } from '../src/domain/run.ts';
import { openStore } from '../src/store/open.ts';
import type { Store } from '../src/store/store.ts';
import { createLog } from '../src/telemetry/log.ts';
import type { Components } from './components.ts';
import { startProcess, type ServerProcess } from './server-process.ts';

const SRC = join(import.meta.dirname, '../src');
const OWNER = 'acme';

export interface InstallationOptions {
  readonly components: Components;
  readonly runner: 'local' | 'docker';
  /** Over the settings a real one has by default. */
  readonly env?: Readonly<Record<string, string>>;
  /** The worker's program; `src/workers/main.ts` when omitted. */
  readonly workerScript?: string;
}

/** Maestro as it is operated: an app and a worker in processes of their own, on Postgres and Redis, and a local GitHub here. */
export interface Installation extends AsyncDisposable {
  readonly github: LocalGithub;
  readonly store: Store;
  worker(): ServerProcess;
  /** Starts a worker in the place of one that was killed. */
  startWorker(): void;
  /** Makes a repository with these files; gives its `owner/name`. */
  repository(name: string, files: Readonly<Record<string, string>>): Promise<string>;
  /** Commits a playbook and gives the id of the run it starts. */
  start(repository: string, playbook: string, text: string): Promise<Run['id']>;
  /** Waits until a run is over. Rejects when it did not succeed. */
  settled(run: Run['id']): Promise<Run & { readonly tasks: readonly RunTask[] }>;
  /** The session log of a task's last attempt. */
  sessionLog(run: Run['id'], position: number): Promise<readonly { readonly at: number; readonly type: string }[]>;
}

/** How often the record is looked at. Milliseconds. */
const LOOK_MS = 100;
const PATIENCE_MS = 60 * 60_000;

/** Starts one. Disposing it stops everything and removes what it made. */
export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'maestro-bench-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const github = stack.use(await startLocalGithub({ seed: { repositories: [] } }));
  const databaseUrl = await options.components.databaseUrl();
  const env = {
    APP_ID: String(github.app.id),
    PRIVATE_KEY: github.app.privateKey,
    WEBHOOK_SECRET: github.app.webhookSecret,
    GHE_HOST: github.host,
    GHE_PROTOCOL: 'http',
    PORT: '0',
    DATABASE_URL: databaseUrl,
    REDIS_URL: await options.components.redisUrl(),
    MAESTRO_HOME: join(home, 'maestro'),
    MAESTRO_PROVIDER: 'scripted',
    MAESTRO_RUNNER: options.runner,
    MAESTRO_CONCURRENCY: '5',
    LOG_LEVEL: 'debug',
    ...(options.runner === 'docker'
      ? {
          MAESTRO_IMAGE: await options.components.agentImage(),
          DOCKER_HOST: await options.components.dockerHost(),
        }
      : {}),
    ...options.env,
  };
  const { store } = await openStore({ databaseUrl, directory: home, log: createLog({ level: 'silent' }) });
  stack.defer(() => store.close());
  const workerScript = options.workerScript ?? join(SRC, 'workers/main.ts');
  let worker = startProcess(workerScript, env);
  stack.defer(() => worker[Symbol.asyncDispose]());
  const app = stack.use(startProcess(join(SRC, 'app/main.ts'), env));
  const { url } = await app.says('listening for webhooks');
  github.control.setWebhookUrl(`${String(url)}/api/github/webhooks`);
  await worker.says('runner ready');
  const everything = stack.move();

  return {
    github,
    store,
    worker: () => worker,
    startWorker: () => {
      worker = startProcess(workerScript, env);
    },
    repository: async (name, files) => {
      await github.control.createRepository({ name, files, roles: { ada: 'admin' } });
      return `${OWNER}/${name}`;
    },
    start: async (repository, playbook, text) => {
      const path = `.maestro/playbooks/${playbook}.md`;
      const content = Buffer.from(text).toString('base64');
      await github.as('ada').call(`PUT /repos/${repository}/contents/${path}`, { message: `Add ${playbook}`, content });
      return await until(`a run of ${playbook}`, async () => {
        const runs = await store.listRuns({ limit: 100 });
        return runs.find((run) => run.playbook.kind === 'file' && run.playbook.path === path)?.id;
      });
    },
    settled: async (id) => {
      const run = await until(`the end of run ${id}`, async () => {
        const found = await store.findRun(id);
        return found !== undefined && isFinal(found.state) ? found : undefined;
      });
      if (run.state !== 'succeeded') throw new Error(`run ${id} ended as ${run.state}: ${run.reason ?? 'no reason'}`);
      return { ...run, tasks: await store.tasksOf(id) };
    },
    sessionLog: async (id, position) => {
      const sessions = await store.sessionsOf(id);
      const tasks = await store.tasksOf(id);
      const key = tasks.find((task) => task.position === position)?.key;
      const last = sessions.filter((session) => session.taskKey === key).at(-1);
      if (last === undefined) throw new Error(`task ${position} of run ${id} has no session`);
      const text = await readFile(last.log, 'utf8');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { readonly at: number; readonly type: string });
    },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

async function until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(LOOK_MS)) {
    const found = await probe();
    if (found !== undefined) return found;
  }
  throw new Error(`${what}: not within ${PATIENCE_MS / 60_000} minutes`);
}

/** Files of a made-up repository, `count` of about `bytes` bytes, a hundred to a directory; no two alike. */
export function madeUpFiles(count: number, bytes: number): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      `src/part-${Math.floor(at / 100)}/file-${at}.ts`,
      `// File ${at}\n${`export const value${at} = ${at * 7919};\n`.repeat(Math.ceil(bytes / 32))}`,
    ]),
  );
}

/** A playbook of tasks. */
export function playbookOf(title: string, tasks: readonly string[]): string {
  return `# ${title}\n\n${tasks.map((task) => `- [ ] ${task}`).join('\n')}\n`;
}

/** Milliseconds from the end of each task to the end of the next. */
export function paces(tasks: readonly RunTask[]): readonly number[] {
  const ends = tasks.map((task) => task.endedAt ?? Number.NaN);
  return ends.slice(1).map((end, at) => end - (ends[at] ?? Number.NaN));
}
