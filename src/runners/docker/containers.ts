import { realpath, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Clock } from '../../domain/clock.ts';
import { around } from '../../telemetry/failpoint.ts';
import type { Log } from '../../telemetry/log.ts';
import { InfrastructureError, type Place } from '../runner.ts';
import { inspect, remove } from './container.ts';
import { ask, statusOf, type Patience } from './engine.ts';
import { AGENT_UID, PLACES } from './entry.ts';
import { effectiveViolations, violations } from './host-config-guard.ts';
import { hostConfig } from './host-config.ts';
import { isOurs, jobLabels, nameFor } from './labels.ts';
import { missingImage, type Readiness } from './readiness.ts';

/** How often a container is tried whose name is taken by one that the engine is still making. Milliseconds. */
const CONFLICT_MS = 100;

/** What a container on a lane mounts. */
export interface LaneVolumes {
  readonly lane: string;
  /** The tree the lane starts from. */
  readonly tree: string | undefined;
}

/** Makes and removes the containers of one installation. */
export interface Containers {
  /** Makes the hardened container of a place, with `entry` to run in it; one that an earlier try left goes first. */
  create(place: Place, entry: readonly string[], facts: Readiness, volumes?: LaneVolumes): Promise<Docker.Container>;
  /** Removes a container. Never rejects (what is left, `reap` takes), and need not be waited for: `removed` does. */
  discard(container: Docker.Container, place: Pick<Place, 'name' | 'lane'>): Promise<void>;
  /** Waits until what was discarded, of a lane or all, is gone. */
  removed(lane?: string): Promise<void>;
}

export function createContainers(options: {
  readonly docker: Docker;
  readonly image: string;
  readonly namespace: string;
  readonly runtime: string | undefined;
  readonly patience: Patience;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when the image is not there any more. */
  readonly onMissingImage: () => void;
}): Containers {
  const { docker, image, namespace, runtime, patience, clock, log, onMissingImage } = options;
  /** Removals that go on, by the job's name. */
  const going = new Map<string, { readonly lane: string; readonly done: Promise<void> }>();

  /**
   * Creates a container; one of the same name that is ours is a leftover of an earlier try, and goes first. One that the engine was
   * asked for in vain and is still making holds the name without being there: that is waited for.
   */
  async function createReplacing(job: string, wanted: Docker.ContainerCreateOptions): Promise<Docker.Container> {
    await going.get(job)?.done;
    const giveUpAt = clock.monotonic() + patience.callMs;
    for (;;) {
      try {
        return await around('container', {
          perform: async () =>
            await ask('create a container', patience.callMs, (abortSignal) =>
              docker.createContainer({ ...wanted, abortSignal }),
            ),
        });
      } catch (error) {
        if (statusOf(error) === 404) {
          onMissingImage();
          throw missingImage(image, error);
        }
        if (statusOf(error) !== 409 || clock.monotonic() > giveUpAt) throw error;
        if (!(await removeLeftover(job))) await delay(CONFLICT_MS);
      }
    }
  }

  /** False when there is none. */
  async function removeLeftover(job: string): Promise<boolean> {
    const container = docker.getContainer(nameFor(namespace, job));
    try {
      const { Config, State } = await inspect(container, patience);
      if (!isOurs(namespace, Config.Labels)) {
        throw new InfrastructureError(`A container named ${nameFor(namespace, job)} is not ours: remove it by hand.`);
      }
      log.info({ job, running: State.Running }, 'removing the leftover of an earlier try');
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
    await remove(container, patience);
    return true;
  }

  function discard(container: Docker.Container, { name, lane }: Pick<Place, 'name' | 'lane'>): Promise<void> {
    const done = remove(container, patience)
      .catch((error: unknown) => {
        log.error({ err: error, job: name }, 'the container of a job could not be removed');
      })
      .finally(() => {
        if (going.get(name)?.done === done) going.delete(name);
      });
    going.set(name, { lane: lane.name, done });
    return done;
  }

  return {
    async create(place, entry, facts, volumes) {
      const config = hostConfig({
        volume: volumes?.lane ?? nameFor(namespace, place.lane.name),
        tree: volumes?.tree,
        mirror: await realDirectory(place.lane.mirror),
        socket: place.socket === undefined ? undefined : await realSocket(place.socket),
        limits: place.limits,
        runtime,
      });
      refuse(violations(config));
      const [command = '', ...args] = entry;
      const container = await createReplacing(place.name, {
        name: nameFor(namespace, place.name),
        Image: facts.imageId,
        Entrypoint: [command],
        Cmd: args,
        User: `${AGENT_UID}:${AGENT_UID}`,
        Hostname: 'maestro',
        WorkingDir: PLACES.lane,
        Labels: jobLabels(namespace, place),
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
        refuse(effectiveViolations(await inspect(container, patience), facts.swapLimit));
        return container;
      } catch (error) {
        await discard(container, place);
        throw error;
      }
    },

    discard,

    async removed(lane) {
      await Promise.all(
        [...going.values()].filter((one) => lane === undefined || one.lane === lane).map((one) => one.done),
      );
    },
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
