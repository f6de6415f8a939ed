import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Probot, ProbotOctokit } from 'probot';
import type { AppRules } from './app/deps.ts';
import { isNewborn, openLater } from './app/newborn.ts';
import { startComingBack } from './app/coming-back.ts';
import { createFrontDoor } from './app/http.ts';
import { createInbox } from './app/inbox.ts';
import { createDeliveryNotes } from './app/notes.ts';
import { maestroApp } from './app/probot.ts';
import { apiBaseUrl, ConfigError, type Config } from './config.ts';
import { systemClock } from './domain/clock.ts';
import type { AgentEvent } from './domain/event.ts';
import type { RunId, SessionId } from './domain/ids.ts';
import { DEFAULT_LIMITS } from './domain/policy.ts';
import { DEFAULT_RETRY } from './domain/retry.ts';
import { createGithubForge, type GithubForge, type GithubForgeOptions } from './forge/github/github.ts';
import { createGateway } from './gateway/create-gateway.ts';
import type { ModelEndpoint } from './gateway/gateway.ts';
import { createProviders, findProvider, providerIds } from './providers/registry.ts';
import type { QueueTiming } from './queue/bullmq.ts';
import { openQueue } from './queue/open.ts';
import type { RunQueue } from './queue/queue.ts';
import { createDockerRunner } from './runners/docker/docker-runner.ts';
import { engineAt } from './runners/docker/engine-address.ts';
import { createLocalRunner } from './runners/local/local-runner.ts';
import type { Runner } from './runners/runner.ts';
import { openStore } from './store/open.ts';
import { openPresence } from './store/presence.ts';
import type { Store } from './store/store.ts';
import { createLog, type Log } from './telemetry/log.ts';
import { startWorker } from './workers/worker.ts';

/** What the app and the worker of one process share. */
export interface Shared extends AsyncDisposable {
  readonly config: Config;
  readonly log: Log;
  readonly store: Store;
  readonly forge: GithubForge;
  /** A queue of its own for each that asks, so that each can close its own. */
  openQueue(): Promise<RunQueue>;
}

/** A running part. Disposing it stops it and waits until it has stopped. */
export interface Part extends AsyncDisposable {
  /** Base URL of what it serves; undefined for a worker. */
  readonly url: string | undefined;
}

/** How fast GitHub may be asked, and how long it may take; the forge's own measure when not said. */
export type Pace = Pick<GithubForgeOptions, 'writesPerMinute' | 'writesPerHour' | 'backoffMs' | 'timeoutMs'>;

/** Opens store and forge. Rejects with what to do about it when one can't be had. */
export async function openShared(
  config: Config,
  log: Log = createLog({ level: config.LOG_LEVEL }),
  pace: Pace = {},
): Promise<Shared> {
  if (!providerIds.some((id) => id === config.MAESTRO_PROVIDER)) {
    throw new ConfigError(
      `MAESTRO_PROVIDER is "${config.MAESTRO_PROVIDER}"; it must be one of ${providerIds.join(', ')}.`,
    );
  }
  await mkdir(config.MAESTRO_HOME, { recursive: true, mode: 0o700 });
  const { store, database } = await openStore({
    databaseUrl: config.DATABASE_URL,
    directory: path.join(config.MAESTRO_HOME, 'database'),
    log,
  });
  const forge = createGithubForge({
    app: { appId: config.APP_ID, privateKey: config.PRIVATE_KEY },
    baseUrl: apiBaseUrl(config),
    markerSecret: createHash('sha256').update(`marker ${config.WEBHOOK_SECRET}`).digest('hex'),
    log,
    clock: systemClock,
    secrets: () => secretsOf(config),
    ...pace,
  });
  return {
    config,
    log,
    store,
    forge,
    openQueue: () => openQueue({ redisUrl: config.REDIS_URL, database, log, timing: queueTiming(config) }),
    [Symbol.asyncDispose]: async () => {
      await forge
        .close()
        .catch((error: unknown) => log.warn({ err: error }, 'tokens could not be revoked; they run out by themselves'));
      await store.close();
    },
  };
}

/** Starts process 1: hears GitHub and turns what it hears into runs. */
export async function startApp(shared: Shared): Promise<Part> {
  const { config, log, store, forge } = shared;
  const queue = await shared.openQueue();
  await queue.check();
  const notes = createDeliveryNotes();
  const rules: AppRules = {
    providers: providerIds,
    defaultProvider: config.MAESTRO_PROVIDER,
    allowedBots: config.MAESTRO_ALLOWED_BOTS,
    branchPrefix: 'maestro/',
    playbookDirectory: '.maestro/playbooks',
    repositoryBytes: config.MAESTRO_REPOSITORY_MB * 1024 ** 2,
  };
  const probot = new Probot({
    appId: config.APP_ID,
    privateKey: config.PRIVATE_KEY,
    secret: config.WEBHOOK_SECRET,
    baseUrl: apiBaseUrl(config),
    log: log.child({ part: 'probot' }),
    Octokit: ProbotOctokit.defaults({ baseUrl: apiBaseUrl(config) }),
  });
  await probot.load(maestroApp({ store, queue, forge, clock: systemClock, log, notes, rules }));
  const inbox = createInbox({ store, probot, notes, clock: systemClock, log });
  const isNew = await isNewborn(store);
  const opening = openLater(inbox);
  const server = createFrontDoor({
    store,
    clock: systemClock,
    log,
    webhookSecret: config.WEBHOOK_SECRET,
    wake: opening.wake,
  });
  const url = await listen(server, config);
  log.info({ url }, 'listening for webhooks');
  const comingBack = startComingBack({
    store,
    queue,
    hookLog: forge,
    survey: forge,
    forge,
    rules,
    wake: opening.wake,
    clock: systemClock,
    log,
    sweepMs: config.MAESTRO_SWEEP_SECONDS * 1000,
    scanMs: config.MAESTRO_SCAN_SECONDS * 1000,
    keepMs: config.MAESTRO_KEEP_DAYS * 24 * 3_600_000,
  });
  opening.openAfter(isNew ? comingBack.lookedThrough : Promise.resolve());
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      opening.cancel();
      await comingBack.close();
      await close(server);
      await inbox.stop();
      await queue.close();
    },
  };
}

/** Told of every event of every session of a worker. */
export type EventListener = (event: AgentEvent, of: { readonly runId: RunId; readonly sessionId: SessionId }) => void;

/** Starts process 2: works on runs. */
export async function startWorkerPart(
  shared: Shared,
  options: { readonly onEvent?: EventListener } = {},
): Promise<Part> {
  const { config, log, store, forge } = shared;
  const runner = createRunner(config, log);
  const facts = await runner.check();
  log.info({ runner: runner.name, ...facts, isolation: runner.isolation }, 'runner ready');
  if (runner.name === 'local') log.warn({ isolation: runner.isolation }, 'agents run without isolation');
  const providers = createProviders({
    scriptedAgent: runner.name === 'docker' ? '/opt/maestro/scripted-agent.mjs' : scriptedAgentHere(),
  });
  const gateway = createGateway({ directory: await wireDirectory(config), log, clock: systemClock });
  const queue = await shared.openQueue();
  await queue.check();
  const worker = await startWorker({
    store,
    queue,
    forge,
    runner,
    gateway,
    findProvider: (id) => findProvider(providers, id),
    modelEndpoint: (protocol) => modelEndpoint(config, protocol),
    presence: openPresence(path.join(config.MAESTRO_HOME, 'workers'), config.MAESTRO_WORKER),
    clock: systemClock,
    log,
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    settings: {
      name: config.MAESTRO_WORKER,
      home: config.MAESTRO_HOME,
      concurrency: config.MAESTRO_CONCURRENCY,
      diskFloorBytes: config.MAESTRO_DISK_FLOOR_MB * 1024 * 1024,
      leaseMs: config.MAESTRO_LEASE_SECONDS * 1000,
      statusIntervalMs: config.MAESTRO_STATUS_SECONDS * 1000,
      reconcileMs: (config.MAESTRO_LEASE_SECONDS * 1000) / 2,
      session: {
        idleMs: config.MAESTRO_IDLE_SECONDS * 1000,
        wallMs: config.MAESTRO_WALL_SECONDS * 1000,
        memoryBytes: config.MAESTRO_MEMORY_MB * 1024 * 1024,
        cpus: config.MAESTRO_CPUS,
        pids: config.MAESTRO_PIDS,
        outputBytes: 4 * 1024 ** 3,
        logBytes: 50 * 1024 ** 2,
        packBytes: 1024 ** 3,
        hosts: config.MAESTRO_HOSTS,
        budgetUsd: config.MAESTRO_SESSION_BUDGET_USD,
      },
      policy: DEFAULT_LIMITS,
      retry: { ...DEFAULT_RETRY, baseMs: config.MAESTRO_RETRY_SECONDS * 1000 },
    },
  });
  return {
    url: undefined,
    [Symbol.asyncDispose]: async () => {
      await worker.close();
      await gateway.close();
      await runner.close();
    },
  };
}

/** A directory for this process's sockets; those of processes that are gone are swept. */
async function wireDirectory(config: Config): Promise<string> {
  const wires = path.join(config.MAESTRO_HOME, 'wires');
  await mkdir(wires, { recursive: true, mode: 0o700 });
  for (const pid of await readdir(wires)) {
    if (!isAlive(Number(pid))) await rm(path.join(wires, pid), { recursive: true, force: true });
  }
  return path.join(wires, String(process.pid));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The runner the configuration asks for. Nothing is checked yet. */
export function createRunner(config: Config, log: Log): Runner {
  if (config.MAESTRO_RUNNER === 'local')
    return createLocalRunner({ root: config.MAESTRO_HOME, log, clock: systemClock });
  return createDockerRunner({
    image: config.MAESTRO_IMAGE,
    docker: engineAt(config.DOCKER_HOST),
    namespace: namespaceOf(config),
    log,
    clock: systemClock,
    treesBytes: config.MAESTRO_TREES_MB * 1024 * 1024,
    ...(config.MAESTRO_RUNTIME === undefined ? {} : { runtime: config.MAESTRO_RUNTIME }),
  });
}

/** What tells this installation's containers from another's on the same engine: several workers of one App share it. */
export function namespaceOf(config: Config): string {
  return createHash('sha256')
    .update(`${apiBaseUrl(config)} ${config.APP_ID} ${config.DATABASE_URL ?? config.MAESTRO_HOME}`)
    .digest('hex')
    .slice(0, 10);
}

function modelEndpoint(config: Config, protocol: ModelEndpoint['protocol']): ModelEndpoint | undefined {
  const endpoints = {
    anthropic: { key: config.ANTHROPIC_API_KEY, upstream: config.ANTHROPIC_BASE_URL },
    openai: { key: config.OPENAI_API_KEY, upstream: config.OPENAI_BASE_URL },
    gemini: { key: config.GEMINI_API_KEY, upstream: config.GEMINI_BASE_URL },
  };
  const { key, upstream } = endpoints[protocol];
  return key === undefined ? undefined : { protocol, upstream, key };
}

/** A job's lock has to run out before its run's lease does: a run that is handed out again can then soon be claimed. */
function queueTiming(config: Config): Partial<QueueTiming> {
  const leaseMs = config.MAESTRO_LEASE_SECONDS * 1000;
  return { lockMs: Math.round((leaseMs * 2) / 3), stalledMs: Math.round(leaseMs / 3) };
}

/** Values that must never be in anything that is published. */
function secretsOf(config: Config): readonly string[] {
  return [
    config.PRIVATE_KEY,
    config.WEBHOOK_SECRET,
    config.ANTHROPIC_API_KEY,
    config.OPENAI_API_KEY,
    config.GEMINI_API_KEY,
  ].filter((value) => value !== undefined);
}

function scriptedAgentHere(): string {
  return fileURLToPath(new URL('../docker/agent-image/scripted-agent.mjs', import.meta.url));
}

function listen(server: Server, config: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new ConfigError(
              `Port ${config.PORT} on ${config.HOST} is taken by another program: set PORT to a free one.`,
            )
          : error,
      ),
    );
    server.listen(config.PORT, config.HOST, () => {
      const { port } = server.address() as AddressInfo;
      resolve(`http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 2_000).unref();
  });
}
