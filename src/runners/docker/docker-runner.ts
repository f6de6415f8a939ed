import Docker from 'dockerode';
import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { requireErrand, requireJob, requireName, requirePlace } from '../names.ts';
import type { Job, JobIo, JobResult, Place, Runner } from '../runner.ts';
import { remove } from './container.ts';
import { createContainers } from './containers.ts';
import { converse, openSeat, type Seat } from './converse.ts';
import { ask, infrastructure } from './engine.ts';
import { GATEWAY_PORT, KEEPER_ENTRY, PLACES, entryOf, goOf } from './entry.ts';
import { createKeepers } from './keepers.ts';
import { JOB, ownFilter, ownerOf } from './labels.ts';
import { createDockerLanes } from './lanes.ts';
import { inspectReadiness, type Readiness } from './readiness.ts';
import { createSeats } from './seats.ts';

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

  const containers = createContainers({
    docker,
    image,
    namespace,
    runtime,
    log,
    onMissingImage: () => (readiness = undefined),
  });
  const seats = createSeats({ containers, clock, log });
  const keepers = createKeepers({ containers, clock, log });

  /** Makes the lane and, on it, a container of ours that has started and waits. */
  async function open(place: Place, entry: readonly string[]): Promise<Seat> {
    const facts = await ready();
    await lanes.ensure(place.lane);
    const container = await containers.create(place, entry, facts);
    try {
      return await openSeat(container, clock);
    } catch (error) {
      await containers.discard(container, place);
      throw error;
    }
  }

  async function release(lane: string): Promise<void> {
    await Promise.all([seats.release(lane), keepers.release(lane)]);
    await containers.removed(lane);
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
    async removeLane(lane) {
      requireName('lane', lane.name, 60);
      await release(lane.name);
      await lanes.remove(lane);
    },
    listLanes: () => lanes.list(),
    inside: () => ({
      repo: PLACES.repo,
      mirror: PLACES.mirror,
      keep: PLACES.keep,
      gatewayUrl: `http://127.0.0.1:${GATEWAY_PORT}`,
    }),

    async run(job: Job, io: JobIo): Promise<JobResult> {
      requireJob(job);
      if (io.signal.aborted) return { ending: 'aborted', code: undefined, durationMs: 0 };
      const seat = (await seats.take(job)) ?? (await open(job, entryOf(job)));
      try {
        const result = await converse({ seat, go: goOf(job), limits: job.limits, io, clock });
        // It has ended, with all it started: nobody has to wait for its removal.
        void containers.discard(seat.container, job);
        return result;
      } catch (error) {
        await containers.discard(seat.container, job);
        throw error;
      }
    },

    async seat(place) {
      requirePlace(place);
      await seats.make(place, () => open(place, entryOf(place)));
    },

    async tend(errand, io) {
      requireErrand(errand);
      if (io.signal.aborted) return { ending: 'aborted', code: undefined, durationMs: 0 };
      return keepers.tend(errand, io, (place) => open(place, KEEPER_ENTRY));
    },

    release: ({ name }) => release(name),

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

    async close() {
      await Promise.all([seats.release(), keepers.release()]);
      await containers.removed();
    },
  };
}
