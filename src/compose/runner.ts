import { createHash } from 'node:crypto';
import { apiBaseUrl, type Config } from '../config.ts';
import { systemClock } from '../domain/clock.ts';
import { createDockerRunner } from '../runners/docker/docker-runner.ts';
import type { Patience } from '../runners/docker/engine.ts';
import { engineAt } from '../runners/docker/engine-address.ts';
import { createLocalRunner } from '../runners/local/local-runner.ts';
import type { Runner } from '../runners/runner.ts';
import type { Log } from '../telemetry/log.ts';

/** The runner the configuration asks for, with `patience` for an engine where it is not the usual. Nothing is checked yet. */
export function createRunner(config: Config, log: Log, patience: Partial<Patience> = {}): Runner {
  if (config.MAESTRO_RUNNER === 'local')
    return createLocalRunner({ root: config.MAESTRO_HOME, log, clock: systemClock });
  return createDockerRunner({
    image: config.MAESTRO_IMAGE,
    docker: engineAt(config.DOCKER_HOST),
    namespace: namespaceOf(config),
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
