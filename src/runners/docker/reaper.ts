import type Docker from 'dockerode';
import type { Clock } from '../../domain/clock.ts';
import type { JobOwner } from '../runner.ts';
import { remove } from './container.ts';
import { ask, type Patience } from './engine.ts';
import { JOB, LANE, ownFilter, ownerOf } from './labels.ts';
import { isSpare, type DockerLanes, type SpareLane } from './lanes.ts';

/** How long the volumes of a spare may be there without a container before they are taken for left behind. Milliseconds. */
const UNFINISHED_MS = 10 * 60_000;

/** Removes what nobody vouches for. */
export interface Reaper {
  /**
   * As {@link Runner.reap}. A spare that no run has taken stays while its keeper runs, which it does while its worker lives, and
   * while it is being made here. Another worker that is making one has to do without.
   */
  reap(keep: (owner: JobOwner) => boolean): Promise<readonly string[]>;
}

export function createReaper(options: {
  readonly docker: Docker;
  readonly namespace: string;
  readonly patience: Patience;
  readonly lanes: DockerLanes;
  readonly clock: Clock;
  /** Whether a lane is a spare that is being made by this process. */
  readonly isMaking: (lane: string) => boolean;
}): Reaper {
  const { docker, namespace, patience, lanes, clock, isMaking } = options;

  function isYoung(madeAt: number): boolean {
    return clock.now() - madeAt < UNFINISHED_MS;
  }

  async function containersThere(): Promise<readonly Docker.ContainerInfo[]> {
    return await ask('list containers', patience.callMs, (abortSignal) =>
      docker.listContainers({ all: true, filters: ownFilter(namespace), abortSignal }),
    );
  }

  function stays(
    { Labels, State }: Docker.ContainerInfo,
    spares: readonly SpareLane[],
    keep: (owner: JobOwner) => boolean,
  ): boolean {
    const lane = Labels[LANE] ?? '';
    const owner = isSpare(lane) ? spares.find(({ name }) => name === lane)?.owner : ownerOf(Labels);
    if (owner !== undefined) return keep(owner);
    return isSpare(lane) && (State === 'running' || isMaking(lane));
  }

  return {
    async reap(keep) {
      const found = await containersThere();
      // Looked at after the containers: a spare that is taken meanwhile is its run's.
      const spares = await lanes.spares();
      const removed: string[] = [];
      const alive = new Set<string>();
      for (const container of found) {
        const { Id, Labels } = container;
        if (stays(container, spares, keep)) {
          alive.add(Labels[LANE] ?? '');
          continue;
        }
        await remove(docker.getContainer(Id), patience);
        removed.push(Labels[JOB] ?? Id);
      }
      for (const { name, owner, madeAt } of spares) {
        if (owner === undefined && !alive.has(name) && !isYoung(madeAt)) await lanes.remove({ name });
      }
      return removed;
    },
  };
}
