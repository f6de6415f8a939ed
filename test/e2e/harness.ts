import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { inject, onTestFinished } from 'vitest';
import { attachReferee, type AttachedReferee } from '../../local-github/referee/recording.ts';
import { sharedReferee } from '../../local-github/referee/referee.ts';
import type { SeedRepository } from '../../local-github/seed.ts';
import { startLocalGithub, type LocalGithub, type LocalGithubOptions } from '../../local-github/server.ts';
import { startApp } from '../../src/compose/app-part.ts';
import { openShared, type Part, type Shared } from '../../src/compose/shared.ts';
import { startWorkerPart } from '../../src/compose/worker-part.ts';
import { readConfig } from '../../src/config.ts';
import type { Patience } from '../../src/runners/docker/engine.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { auditHome, auditPlace } from './audit.ts';
import { createPlace, type Place } from './place.ts';
import { KEY_CANARY, ROLES, secretsOf, type Audited } from './stage.ts';
import { createDatabase, type TestDatabase } from '../setup/database.ts';
import '../setup/provided.ts';

export interface HarnessOptions {
  readonly runner: 'local' | 'docker';
  /**
   * Where the store is: on the tests' Postgres server when not said and there is one. The embedded database takes 4 s to make and
   * half a gigabyte of this process, which makes every process slow to start; tests of it say so.
   */
  readonly database?: 'embedded';
  /** Of Maestro; over the harness's own settings. */
  readonly env?: Readonly<Record<string, string>>;
  readonly github?: Omit<LocalGithubOptions, 'seed'>;
  /** As on GitHub when not said; the tests share one forge, so they ask for more than one minute allows. */
  readonly writesPerMinute?: number;
  /** How long GitHub may take over an answer; 30 s when not said. */
  readonly timeoutMs?: number;
  /** The engine that is looked at for what is left; the tests' own when not said. Maestro's may be reached by another way. */
  readonly dockerHost?: string;
  /** How long that engine may take. */
  readonly patience?: Partial<Patience>;
}

/** The whole product over a local GitHub, as `src/compose/` puts it together. */
export interface Harness extends Audited, AsyncDisposable {
  /**
   * A repository of its own for the running test. When the test is over everything that happened in it is audited. `audited: false`
   * is for a repository that does not outlive the test, and for tests that audit it themselves.
   */
  place(seed?: Omit<SeedRepository, 'name' | 'owner' | 'roles'> & { readonly audited?: boolean }): Promise<Place>;
  /**
   * Holds what happened in a repository against what Maestro promises, as `audit.ts` does, and everything so far against GitHub's
   * schemas. Long tests do so early: GitHub keeps the newest of what happened.
   */
  audit(place: Place): Promise<void>;
  /** Waits until GitHub has sent every webhook and the app has dealt with all of them. */
  quiet(): Promise<void>;
  /** What a process of the same installation is configured with. */
  readonly env: Readonly<Record<string, string | undefined>>;
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
}

let places = 0;

/** Characters of a run's events that are remembered. */
const MOST_HEARD = 1_000_000;

/**
 * A repository by its number is where GitHub redirects requests to under its old name; GitHub's documents do not list the address.
 */
function isByItsId({ method, path }: { readonly method: string; readonly path: string }): boolean {
  return method === 'GET' && /^(\/api\/v3)?\/repositories\/\d+$/.test(path);
}

/** Starts everything. Disposing it stops it and fails when something of it is still there. */
export async function openHarness(options: HarnessOptions): Promise<Harness> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(path.join(tmpdir(), 'maestro-e2e-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const github = stack.use(
    await startLocalGithub({ ...options.github, seed: { repositories: [{ name: 'first', files: { a: 'a\n' } }] } }),
  );
  const database = await databaseOf(options);
  if (database !== undefined) stack.use(database);
  const env = {
    ...environment(github, home, options),
    ...(database === undefined ? {} : { DATABASE_URL: database.url }),
  };
  const config = readConfig(env);
  const lines: string[] = [];
  const log = createLog({ level: 'debug', destination: { write: (line: string) => void lines.push(line) } });
  const shared = stack.use(
    await openShared(config, log, {
      writesPerMinute: options.writesPerMinute ?? 6_000,
      writesPerHour: 100_000,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    }),
  );
  const said = new Map<string, string>();
  const worker = stack.use(
    await workerOf(shared, {
      onEvent: (event, { runId }) => {
        const before = said.get(runId) ?? '';
        if (before.length < MOST_HEARD) said.set(runId, `${before}${JSON.stringify(event)}\n`);
      },
      ...(options.patience === undefined ? {} : { patience: options.patience }),
    }),
  );
  const app = stack.use(await startApp(shared));
  github.control.setWebhookUrl(`${app.url ?? ''}/api/github/webhooks`);
  const referee = attachReferee(github.recorder, sharedReferee(), { expected: isByItsId });
  const everything = stack.move();

  const quiet = async (): Promise<void> => {
    const until = Date.now() + 60_000;
    for (;;) {
      await github.control.hooksQuiet();
      const left = await shared.store.pendingDeliveries(Number.MAX_SAFE_INTEGER, 10);
      if (left.length === 0) return;
      if (Date.now() > until)
        throw new Error(`deliveries are still pending: ${left.map((one) => `${one.event} ${one.guid}`).join(', ')}`);
      await pause(50);
    }
  };
  const judge = async (): Promise<void> => {
    await quiet();
    referee.assertNone();
  };
  const secrets = (): readonly string[] => secretsOf(github);
  const harness: Harness = {
    runner: options.runner,
    dockerHost: options.dockerHost ?? inject('dockerHost'),
    github,
    store: shared.store,
    config,
    log: lines,
    secrets,
    place: async ({ audited = true, ...seed } = {}) => {
      places += 1;
      const name = `demo-${places}`;
      const { id } = await github.control.createRepository({
        files: { 'README.md': '# Demo\n' },
        labels: ['maestro', 'maestro:scripted', 'maestro:claude-code'],
        ...seed,
        name,
        roles: ROLES,
      });
      const place = createPlace({
        github,
        store: shared.store,
        log: lines,
        home: config.MAESTRO_HOME,
        quiet,
        said: (run) => said.get(run) ?? '',
        name,
        id,
      });
      onTestFinished(async () => await (audited ? harness.audit(place) : judge()));
      return place;
    },
    audit: async (place) => {
      await judge();
      await auditPlace(harness, place);
    },
    quiet,
    env,
    stopWorker: () => worker.stop(),
    startWorker: () => worker.start(),
    [Symbol.asyncDispose]: async () => {
      await github.control.hooksQuiet();
      const judged = remaining(referee);
      // What a worker keeps ready for runs to come goes with it.
      await worker.stop();
      await auditHome(harness);
      await everything.disposeAsync();
      judged();
    },
  };
  return harness;
}

function remaining(referee: AttachedReferee): () => void {
  const violations = referee.violations();
  return () => {
    if (violations.length > 0)
      throw new Error(violations.map(({ where, message }) => `${where}: ${message}`).join('\n'));
  };
}

async function workerOf(
  shared: Shared,
  options: NonNullable<Parameters<typeof startWorkerPart>[1]>,
): Promise<AsyncDisposable & { start(): Promise<void>; stop(): Promise<void> }> {
  const open = async (): Promise<Part> => await startWorkerPart(shared, options);
  let part: Part | undefined = await open();
  const stop = async (): Promise<void> => {
    const running = part;
    part = undefined;
    await running?.[Symbol.asyncDispose]();
  };
  return {
    start: async () => {
      part ??= await open();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function databaseOf(options: HarnessOptions): Promise<TestDatabase | undefined> {
  const another = options.database === 'embedded' || options.env?.['DATABASE_URL'] !== undefined;
  return another || inject('postgresUrl') === undefined ? undefined : await createDatabase();
}

function environment(
  github: LocalGithub,
  home: string,
  options: HarnessOptions,
): Readonly<Record<string, string | undefined>> {
  return {
    APP_ID: String(github.app.id),
    PRIVATE_KEY: github.app.privateKey,
    WEBHOOK_SECRET: github.app.webhookSecret,
    GHE_HOST: github.host,
    GHE_PROTOCOL: 'http',
    PORT: '0',
    MAESTRO_HOME: path.join(home, 'maestro'),
    MAESTRO_PROVIDER: 'scripted',
    MAESTRO_RUNNER: options.runner,
    MAESTRO_CONCURRENCY: '3',
    MAESTRO_STATUS_SECONDS: '0.5',
    MAESTRO_RETRY_SECONDS: '1',
    MAESTRO_LEASE_SECONDS: '6',
    ANTHROPIC_API_KEY: KEY_CANARY,
    ...(options.runner === 'docker'
      ? { MAESTRO_IMAGE: inject('agentImage'), DOCKER_HOST: options.dockerHost ?? inject('dockerHost') }
      : {}),
    ...options.env,
  };
}
