import Docker from 'dockerode';
import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { requireErrand, requireJob, requireName, requirePlace } from '../names.ts';
import type { RunId } from '../../domain/ids.ts';
import type {
  ImageChoice,
  Inside,
  Job,
  JobIo,
  JobLimits,
  JobOwner,
  JobResult,
  LaneRef,
  Place,
  Runner,
} from '../runner.ts';
import { createContainers, type LaneVolumes } from './containers.ts';
import { converse, openSeat, type Seat } from './converse.ts';
import { DEFAULT_PATIENCE, ask, type Patience } from './engine.ts';
import { AGENT_UID, GATEWAY_PORT, KEEPER_ENTRY, PLACES, entryOf, goOf } from './entry.ts';
import { createKeepers } from './keepers.ts';
import { createDockerLanes } from './lanes.ts';
import { createLaneStarts } from './lane-starts.ts';
import { createReaper } from './reaper.ts';
import { inspectReadiness, type Readiness } from './readiness.ts';
import { createOwnImages } from './own-images.ts';
import { createSeats } from './seats.ts';
import { tarOfDirectories } from './tar.ts';
import { createPlanter } from './planter.ts';
import { createDockerTrees } from './trees.ts';
import { createVolumes } from './volumes.ts';

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
  /** Disk that prepared trees may take, in bytes; without it there are none. */
  readonly treesBytes?: number;
  /** How long the engine may take; `DEFAULT_PATIENCE` where nothing is said. */
  readonly patience?: Partial<Patience>;
  /** Whether the engine mounts overlays over prepared trees; found out when not said. */
  readonly overlays?: 'work' | 'fail';
}

/** Where things are, as every container sees them. */
const INSIDE: Inside = {
  repo: PLACES.repo,
  mirror: PLACES.mirror,
  tree: PLACES.tree,
  keep: PLACES.keep,
  gatewayUrl: `http://127.0.0.1:${GATEWAY_PORT}`,
};

/** Owner of a container that never runs: whoever reaps may take it. */
const NOBODY: JobOwner = { runId: '' as RunId, epoch: 0 };

/** Limits of a container that never runs: the least the engine takes. */
const LEAST: JobLimits = { idleMs: 1, wallMs: 1, memoryBytes: 16 * 1024 ** 2, cpus: 0.1, pids: 16, outputBytes: 1 };

/** Runs jobs in hardened containers of a Docker engine on this machine: one container per job, one volume per lane. */
export function createDockerRunner(options: DockerRunnerOptions): Runner {
  const { image, namespace, log, clock, runtime } = options;
  requireName('installation', namespace, 40);
  const docker = new Docker(options.docker);
  const patience = { ...DEFAULT_PATIENCE, ...options.patience };
  let readiness: Promise<Readiness> | undefined;

  /** Looks once; again only after it failed. */
  function ready(): Promise<Readiness> {
    readiness ??= inspectReadiness({ docker, image, runtime, patience, log }).catch((error: unknown) => {
      readiness = undefined;
      throw error;
    });
    return readiness;
  }

  const ownImages = createOwnImages({ docker, log, env: process.env });

  async function factsOf(choice: ImageChoice | undefined): Promise<Readiness> {
    const facts = await ready();
    return choice === undefined ? facts : { ...facts, imageId: (await ownImages.find(choice, image)).id };
  }

  const containers = createContainers({
    docker,
    image,
    namespace,
    runtime,
    patience,
    clock,
    log,
    onMissingImage: () => (readiness = undefined),
  });
  const seats = createSeats({ containers, clock, log });
  const keepers = createKeepers({ containers, clock, log });

  const volumes = createVolumes({ docker, namespace, patience });
  const lanes = createDockerLanes({ docker, namespace, patience, volumes, fillBase });
  const trees = createDockerTrees({ volumes, namespace, budgetBytes: options.treesBytes ?? 0, log, clock });
  const plant = createPlanter({ containers, lanes, volumes, log, inside: INSIDE, open, runIn });
  const starts = createLaneStarts({
    containers,
    keepers,
    lanes,
    trees,
    log,
    nobody: NOBODY,
    overlays: options.overlays ?? 'untried',
    plant,
    open,
  });
  const reaper = createReaper({ docker, namespace, patience, lanes, clock, isMaking: (lane) => starts.isMaking(lane) });

  /** Puts the two directories an overlay needs into a lane's base, through a container that never runs. */
  async function fillBase(volume: string, lane: LaneRef): Promise<void> {
    const place = { name: `${lane.name}-base`, owner: NOBODY, lane, limits: LEAST };
    const container = await containers.create(place, KEEPER_ENTRY, await ready(), { lane: volume, tree: undefined });
    try {
      const directories = tarOfDirectories(['upper', 'work'], AGENT_UID);
      await ask('fill a volume', patience.callMs, (abortSignal) =>
        container.putArchive(directories, { path: PLACES.lane, abortSignal }),
      );
    } finally {
      // It never ran: nobody has to wait for its removal.
      void containers.discard(container, place);
    }
  }

  /** Makes a container of ours that has started and waits: on the volumes given, or on its lane, which is made if need be. */
  async function open(place: Place, entry: readonly string[], volumes?: LaneVolumes): Promise<Seat> {
    const facts = await factsOf(place.image);
    const container = await containers.create(place, entry, facts, volumes ?? (await lanes.ensure(place.lane)));
    try {
      return await openSeat(container, { clock, patience });
    } catch (error) {
      await containers.discard(container, place);
      throw error;
    }
  }

  /** Gives a waiting container its job, and sees to its removal. */
  async function runIn(seat: Seat, job: Job, io: JobIo): Promise<JobResult> {
    try {
      const imageEnv = job.image?.own === undefined ? {} : (await ownImages.find(job.image, image)).env;
      const go = goOf({ ...job, env: { ...imageEnv, ...job.env } });
      const result = await converse({ seat, go, limits: job.limits, io, clock });
      // It has ended, with all it started: nobody has to wait for its removal.
      void containers.discard(seat.container, job);
      return result;
    } catch (error) {
      await containers.discard(seat.container, job);
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

    async check(choice) {
      const facts = await factsOf(choice);
      const name = choice?.own ?? choice?.agents ?? image;
      return { image: `${name}@${facts.imageId}`, engine: facts.engine };
    },

    async ensureLane(lane, base) {
      return (await (base === undefined ? lanes.ensure(lane) : starts.ensure(lane, base))).isFresh;
    },
    async removeLane(lane) {
      requireName('lane', lane.name, 60);
      await release(lane.name);
      await starts.remove(lane);
    },
    listLanes: () => lanes.list(),
    inside: () => INSIDE,

    async run(job: Job, io: JobIo): Promise<JobResult> {
      requireJob(job);
      if (io.signal.aborted) return { ending: 'aborted', code: undefined, durationMs: 0 };
      return await runIn((await seats.take(job)) ?? (await open(job, entryOf(job))), job, io);
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

    reap: (keep) => reaper.reap(keep),

    async close() {
      await Promise.all([seats.release(), keepers.release(), starts.close()]);
      await containers.removed();
    },
  };
}
