import type { Log } from '../../telemetry/log.ts';
import { lastWords } from '../output.ts';
import type { Inside, Job, JobIo, JobResult, LaneBase, LaneRef, Place } from '../runner.ts';
import type { Containers, LaneVolumes } from './containers.ts';
import type { Seat } from './converse.ts';
import { entryOf } from './entry.ts';
import type { DockerLanes } from './lanes.ts';
import type { Volumes } from './volumes.ts';

/** Fills a new volume with a tree for lanes to start from. Gives its size in kB; undefined when it could not be made. */
export type Planter = (volume: string, base: LaneBase, lane: LaneRef) => Promise<number | undefined>;

/** Makes trees in containers of their own, which see nothing but the tree and the mirror. */
export function createPlanter(options: {
  readonly containers: Containers;
  readonly lanes: DockerLanes;
  readonly volumes: Volumes;
  readonly log: Log;
  readonly inside: Inside;
  readonly open: (place: Place, entry: readonly string[], volumes: LaneVolumes) => Promise<Seat>;
  readonly runIn: (seat: Seat, job: Job, io: JobIo) => Promise<JobResult>;
}): Planter {
  const { containers, lanes, volumes, log, inside, open, runIn } = options;

  /** Has a command of ours work on a tree. Gives the size in kB that it prints; undefined when it failed. */
  async function work(
    volume: string,
    base: LaneBase,
    lane: LaneRef,
    argv: readonly string[],
  ): Promise<number | undefined> {
    const place = { name: `${lane.name}-plant`, owner: base.owner, lane, limits: base.limits };
    const said = lastWords();
    const io = { stdin: '', stdout: said.sink, stderr: said.sink, signal: new AbortController().signal };
    const seat = await open(place, entryOf(place), { lane: volume, tree: undefined });
    const result = await runIn(seat, { ...place, argv, env: {} }, io);
    await containers.removed(lane.name);
    const kilobytes = /(\d+)\s*$/.exec(said.text())?.[1];
    if (result.ending === 'exited' && result.code === 0 && kilobytes !== undefined) return Number(kilobytes);
    log.warn({ lane: lane.name, ...result, said: said.text() }, 'a tree could not be prepared');
    return undefined;
  }

  return async (volume, base, lane) => {
    const planted = await work(volume, base, lane, base.plant(inside));
    if (base.furnishing === undefined || planted === undefined) return planted;
    const into = await lanes.into(volume);
    try {
      await base.furnishing.furnish(async (wanted, io) => {
        const job = { ...wanted, lane };
        return await runIn(await open(job, entryOf(job), { lane: into, tree: undefined }), job, io);
      });
    } finally {
      await containers.removed(lane.name);
      await volumes.remove(into);
    }
    return await work(volume, base, lane, base.furnishing.seal(inside));
  };
}
