import { createHash } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiBaseUrl, type Config } from '../config.ts';
import { systemClock } from '../domain/clock.ts';
import type { Provider } from '../providers/provider.ts';
import { createProviders, type Providers } from '../providers/registry.ts';
import { createScripted } from '../providers/scripted/provider.ts';
import { imageOfProvider } from '../domain/own-image.ts';
import { createDockerRunner } from '../runners/docker/docker-runner.ts';
import type { Patience } from '../runners/docker/engine.ts';
import { engineAt } from '../runners/docker/engine-address.ts';
import { createLocalRunner } from '../runners/local/local-runner.ts';
import type { Runner } from '../runners/runner.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * The runner the configuration asks for. Nothing is checked yet. A `purpose` keeps what it runs apart from what the installation's
 * worker runs, which clears up what it does not know: `[a-z]+`. `patience` is for an engine where it is not the usual.
 */
export function createRunner(
  config: Config,
  log: Log,
  { purpose, patience = {} }: { readonly purpose?: string; readonly patience?: Partial<Patience> } = {},
): Runner {
  if (config.MAESTRO_RUNNER === 'local') {
    const root = purpose === undefined ? config.MAESTRO_HOME : path.join(config.MAESTRO_HOME, purpose);
    return createLocalRunner({ root, log, clock: systemClock });
  }
  return createDockerRunner({
    image: imageOfProvider(config.MAESTRO_IMAGE, config.MAESTRO_PROVIDER[0] ?? ''),
    docker: engineAt(config.DOCKER_HOST),
    namespace: purpose === undefined ? namespaceOf(config) : `${namespaceOf(config)}-${purpose}`,
    log,
    clock: systemClock,
    patience,
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

/** Every provider, as it runs on `runner`. */
export function providersFor(runner: Runner): Providers {
  return createProviders({ scriptedAgent: scriptedAgentOn(runner) });
}

/** The scripted agent once more, as a provider of its own called `id`: to show how one takes over from the other. */
export function understudyFor(runner: Runner, id: string): Provider {
  return createScripted(scriptedAgentOn(runner), { id, title: `Scripted ${id}` });
}

function scriptedAgentOn(runner: Runner): string {
  return runner.name === 'docker' ? '/opt/maestro/scripted-agent.mjs' : scriptedAgentHere();
}

function scriptedAgentHere(): string {
  return fileURLToPath(new URL('../../docker/agent-image/scripted-agent.mjs', import.meta.url));
}
