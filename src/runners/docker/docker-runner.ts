import { realpath, stat } from 'node:fs/promises';
import Docker from 'dockerode';
import type { Clock } from '../../domain/clock.ts';
import { around } from '../../telemetry/failpoint.ts';
import type { Log } from '../../telemetry/log.ts';
import { requireJob, requireName } from '../names.ts';
import { InfrastructureError, type Job, type JobIo, type JobResult, type Runner } from '../runner.ts';
import { inspect, remove } from './container.ts';
import { converse } from './converse.ts';
import { ask, infrastructure, statusOf } from './engine.ts';
import { AGENT_UID, GATEWAY_PORT, PLACES, entryOf, environmentOf } from './entry.ts';
import { effectiveViolations, violations } from './host-config-guard.ts';
import { hostConfig } from './host-config.ts';
import { JOB, isOurs, jobLabels, nameFor, ownFilter, ownerOf } from './labels.ts';
import { createDockerLanes } from './lanes.ts';
import { inspectReadiness, missingImage, type Readiness } from './readiness.ts';

const DEADLINE_MS = 30_000;

export interface DockerRunnerOptions {
  /** Where the engine is; by default what DOCKER_HOST says, or the usual socket. */
  readonly docker?: Docker.DockerOptions;
  /** The agent image, by tag or digest. */
  readonly image: string;
  /** Name of this installation of Maestro, `[a-z0-9-]`, at most 40: several may share an engine. */
  readonly namespace: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Another OCI runtime the engine knows, such as `runsc`. */
  readonly runtime?: string;
}

/** Runs jobs in hardened containers of a Docker engine on this machine: one container per job, one volume per lane. */
export function createDockerRunner(options: DockerRunnerOptions): Runner {
  const { image, namespace, log, clock, runtime } = options;
  requireName('installation', namespace, 40);
  const docker = new Docker(options.docker);
  const lanes = createDockerLanes(docker, namespace);
  let readiness: Promise<Readiness> | undefined;

  /** Looks once; again only after it failed. */
  function ready(): Promise<Readiness> {
    readiness ??= inspectReadiness({ docker, image, runtime, log }).catch((error: unknown) => {
      readiness = undefined;
      throw error;
    });
    return readiness;
  }

  async function create(job: Job, facts: Readiness): Promise<Docker.Container> {
    const entry = entryOf(job);
    const config = hostConfig({
      volume: nameFor(namespace, job.lane.name),
      mirror: await realDirectory(job.lane.mirror),
      socket: job.socket === undefined ? undefined : await realSocket(job.socket),
      limits: job.limits,
      runtime,
    });
    refuse(violations(config));
    const container = await createReplacing(job.name, {
      name: nameFor(namespace, job.name),
      Image: facts.imageId,
      Entrypoint: [...entry.entrypoint],
      Cmd: [...entry.command],
      Env: [...environmentOf(job, facts.imageEnv)],
      User: `${AGENT_UID}:${AGENT_UID}`,
      Hostname: 'maestro',
      WorkingDir: PLACES.lane,
      Labels: jobLabels(namespace, job),
      Healthcheck: { Test: ['NONE'] },
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      HostConfig: config,
    });
    try {
      refuse(effectiveViolations(await inspect(container), facts.swapLimit));
      return container;
    } catch (error) {
      await cleanUp(container, job.name);
      throw infrastructure('confine a container', error);
    }
  }

  /** Creates a container; one of the same name that is ours is a leftover of an earlier try, and goes first. */
  async function createReplacing(job: string, wanted: Docker.ContainerCreateOptions): Promise<Docker.Container> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await around('container', {
          perform: async () => await ask('create a container', DEADLINE_MS, docker.createContainer(wanted)),
        });
      } catch (error) {
        if (statusOf(error) === 404) {
          readiness = undefined;
          throw missingImage(image, error);
        }
        if (statusOf(error) !== 409 || attempt > 3) throw infrastructure('create a container', error);
        await removeLeftover(job);
      }
    }
  }

  async function removeLeftover(job: string): Promise<void> {
    const container = docker.getContainer(nameFor(namespace, job));
    try {
      const { Config, State } = await inspect(container);
      if (!isOurs(namespace, Config.Labels)) {
        throw new InfrastructureError(`A container named ${nameFor(namespace, job)} is not ours: remove it by hand.`);
      }
      log.info({ job, running: State.Running }, 'removing the leftover of an earlier try');
    } catch (error) {
      if (statusOf(error) === 404) return;
      throw infrastructure('look at a container', error);
    }
    await remove(container);
  }

  /** Never throws: what can't be removed now is removed by `reap`, or when the name is used again. */
  async function cleanUp(container: Docker.Container, job: string): Promise<void> {
    await remove(container).catch((error: unknown) => {
      log.error({ err: error, job }, 'the container of a job could not be removed');
    });
  }

  return {
    name: 'docker',
    wire: 'socket',
    isolation:
      'Each job runs in a container of its own: no network but a socket to the gateway, no capabilities, read-only root, not root, ' +
      `limited memory, processors and processes; it shares the kernel with the host${runtime === undefined ? '' : ` through ${runtime}`}.`,

    async check() {
      const facts = await ready();
      return { image: `${image}@${facts.imageId}`, engine: facts.engine };
    },

    ensureLane: (lane) => lanes.ensure(lane),
    removeLane: (lane) => lanes.remove(lane),
    listLanes: () => lanes.list(),
    inside: () => ({
      repo: PLACES.repo,
      mirror: PLACES.mirror,
      gatewayUrl: `http://127.0.0.1:${GATEWAY_PORT}`,
    }),

    async run(job: Job, io: JobIo): Promise<JobResult> {
      requireJob(job);
      if (io.signal.aborted) return { ending: 'aborted', code: undefined, durationMs: 0 };
      const facts = await ready();
      await lanes.ensure(job.lane);
      const container = await create(job, facts);
      try {
        return await converse({ container, preamble: entryOf(job).preamble, limits: job.limits, io, clock });
      } finally {
        await cleanUp(container, job.name);
      }
    },

    async reap(keep) {
      const search = docker.listContainers({ all: true, filters: ownFilter(namespace) });
      const found = await ask('list containers', DEADLINE_MS, search).catch((error: unknown) => {
        throw infrastructure('list containers', error);
      });
      const removed: string[] = [];
      for (const { Id, Labels } of found) {
        const owner = ownerOf(Labels);
        if (owner !== undefined && keep(owner)) continue;
        await remove(docker.getContainer(Id));
        removed.push(Labels[JOB] ?? Id);
      }
      return removed;
    },

    close: async () => {},
  };
}

function refuse(broken: readonly string[]): void {
  if (broken.length === 0) return;
  throw new InfrastructureError(`A container was refused: it must ${broken.join('; it must ')}.`);
}

async function realDirectory(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined && (await stat(real)).isDirectory()) return real;
  throw new InfrastructureError(`The mirror ${path} is not a directory on this machine`);
}

async function realSocket(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined && (await stat(real)).isSocket()) return real;
  throw new InfrastructureError(`The gateway's socket ${path} is not there. Is the gateway running?`);
}
