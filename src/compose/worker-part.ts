import path from 'node:path';
import { systemClock } from '../domain/clock.ts';
import { DEFAULT_CIRCUIT } from '../domain/circuit.ts';
import type { AgentEvent } from '../domain/event.ts';
import type { RunId, SessionId } from '../domain/ids.ts';
import { DEFAULT_LIMITS } from '../domain/policy.ts';
import { DEFAULT_RETRY } from '../domain/retry.ts';
import { createGateway } from '../gateway/create-gateway.ts';
import { findProvider } from '../providers/registry.ts';
import type { Patience } from '../runners/docker/engine.ts';
import { openPresence } from '../store/presence.ts';
import { startWorker } from '../workers/worker.ts';
import { operatorBudget } from './budget.ts';
import { createEndpointFinder } from './installation-keys.ts';
import { createRunner, providersFor, understudyFor } from './runner.ts';
import type { Part, Shared } from './shared.ts';
import { wireDirectory } from './wires.ts';
import { keepMsOf } from './shelf.ts';

/** Told of every event of every session of a worker. */
export type EventListener = (event: AgentEvent, of: { readonly runId: RunId; readonly sessionId: SessionId }) => void;

/** Starts process 2: works on runs. */
export async function startWorkerPart(
  shared: Shared,
  options: {
    readonly onEvent?: EventListener;
    readonly patience?: Partial<Patience>;
    readonly understudy?: string;
  } = {},
): Promise<Part> {
  const { config, log, store, forge } = shared;
  const endpointFor = createEndpointFinder(config, store, shared.secrets);
  const runner = createRunner(config, log, options.patience === undefined ? {} : { patience: options.patience });
  const facts = await runner.check();
  log.info({ runner: runner.name, ...facts, isolation: runner.isolation }, 'runner ready');
  if (runner.name === 'local') log.warn({ isolation: runner.isolation }, 'agents run without isolation');
  const providers = providersFor(runner);
  const understudy = options.understudy === undefined ? undefined : understudyFor(runner, options.understudy);
  const gateway = createGateway({ directory: await wireDirectory(config), log, clock: systemClock });
  const queue = await shared.openQueue();
  await queue.check();
  const worker = await startWorker({
    store,
    queue,
    forge,
    runner,
    shelf: shared.shelf,
    gateway,
    findProvider: (id) => (id === understudy?.id ? understudy : findProvider(providers, id)),
    modelEndpoint: endpointFor,
    presence: openPresence(path.join(config.MAESTRO_HOME, 'workers'), config.MAESTRO_WORKER),
    clock: systemClock,
    log,
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    settings: {
      name: config.MAESTRO_WORKER,
      home: config.MAESTRO_HOME,
      concurrency: config.MAESTRO_CONCURRENCY,
      images: { agents: config.MAESTRO_IMAGE, rules: config.MAESTRO_IMAGES },
      trust: config.MAESTRO_TRUST,
      mcpSecrets: config.MAESTRO_MCP_SECRETS,
      keepMs: keepMsOf(config),
      diskFloorBytes: config.MAESTRO_DISK_FLOOR_MB * 1024 * 1024,
      leaseMs: config.MAESTRO_LEASE_SECONDS * 1000,
      statusIntervalMs: config.MAESTRO_STATUS_SECONDS * 1000,
      reconcileMs: (config.MAESTRO_LEASE_SECONDS * 1000) / 2,
      session: {
        idleMs: config.MAESTRO_IDLE_SECONDS * 1000,
        wallMs: config.MAESTRO_WALL_SECONDS * 1000,
        mostWallMs: config.MAESTRO_WALL_MAX_SECONDS * 1000,
        partingMs: config.MAESTRO_PARTING_SECONDS * 1000,
        memoryBytes: config.MAESTRO_MEMORY_MB * 1024 * 1024,
        cpus: config.MAESTRO_CPUS,
        pids: config.MAESTRO_PIDS,
        outputBytes: 4 * 1024 ** 3,
        logBytes: 50 * 1024 ** 2,
        packBytes: 1024 ** 3,
        hosts: config.MAESTRO_HOSTS,
        playbookHosts: config.MAESTRO_PLAYBOOK_HOSTS,
        setupHosts: config.MAESTRO_SETUP_HOSTS,
      },
      budget: operatorBudget(config),
      policy: DEFAULT_LIMITS,
      retry: { ...DEFAULT_RETRY, baseMs: config.MAESTRO_RETRY_SECONDS * 1000 },
      remindMs: config.MAESTRO_REMIND_HOURS * 3_600_000,
      circuit: { ...DEFAULT_CIRCUIT, baseMs: config.MAESTRO_RETRY_SECONDS * 2_000 },
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
