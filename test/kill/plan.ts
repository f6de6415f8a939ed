import { parseArgs } from 'node:util';
import { EFFECTS, MOMENTS, type EffectName, type Failpoint } from '../../src/telemetry/failpoint.ts';
import { COMING_BACK, comingBackWith, type ComingBack } from './coming-back.ts';
import { untilOver } from './judge.ts';
import { chance, nameOf, type Role, type RunnerName, type Topology, type Trial } from './trial.ts';
import { OF_LANES } from './spares.ts';
import { ask, EXECUTING, KEEPING, REDOING, SPARING, TWO, workWith, type Work } from './work.ts';
import { openWorld, type Components } from './world.ts';

/** How often a process of a role passes a point in an undisturbed run of the work the point's trials do. */
export type Passages = ReadonlyMap<Role, ReadonlyMap<Failpoint, number>>;

/** Lets runs go undisturbed, each in a world of its own and all at the same time, and counts the points they pass. */
export async function passagesOf(
  components: Components,
  options: { readonly topology: Topology; readonly runner: RunnerName },
): Promise<Passages> {
  const counts = new Map<Role, Map<Failpoint, number>>();
  const note = (role: Role, point: Failpoint): void => {
    const of = counts.get(role) ?? new Map<Failpoint, number>();
    counts.set(role, of.set(point, (of.get(point) ?? 0) + 1));
  };
  const roles: readonly Role[] = options.topology === 'up' ? ['up'] : ['app', 'worker'];
  const inTheOrdinaryCourse = async (work: Work): Promise<void> => {
    await using world = await openWorld(components, options);
    const running = await Promise.all(roles.map(async (role) => await world.start(role, world.recording)));
    await Promise.all(running.map(async (one) => await one.ready()));
    const place = await world.place();
    await untilOver(world, place, await ask(place, work));
    for (const { pid, point } of await world.passed()) {
      const role = running.find((one) => one.pid === pid)?.role;
      const effect = point.split('.')[0] as EffectName;
      if (role !== undefined && isUsual(point) && workWith(effect) === work) note(role, point as Failpoint);
    }
  };
  const comingBack = async (situation: ComingBack): Promise<void> => {
    await using world = await openWorld(components, options);
    const place = await world.place();
    const issue = await situation.ask(world, place);
    const [one] = await Promise.all(
      roles.map(async (role) => await world.start(role, { ...situation.first, ...world.recording })),
    );
    await untilOver(world, place, issue);
    for (const { pid, point } of await world.passed())
      if (one?.pid === pid && situation.effects.some((effect) => point.startsWith(`${effect}.`)))
        note(one.role, point as Failpoint);
  };
  await Promise.all([...[TWO, KEEPING, REDOING, EXECUTING].map(inTheOrdinaryCourse), ...COMING_BACK.map(comingBack)]);
  return counts;
}

/** Whether a point is passed in the ordinary course of things. */
function isUsual(point: string): boolean {
  return comingBackWith(point.split('.')[0] as EffectName) === undefined;
}

/** Failpoints no process passes. */
export function neverPassed(passages: Passages): readonly Failpoint[] {
  return allPoints().filter((point) => ![...passages.values()].some((of) => of.has(point)));
}

function allPoints(): readonly Failpoint[] {
  return EFFECTS.flatMap((effect: EffectName) => MOMENTS.map((moment) => `${effect}.${moment}` as const));
}

/** For each point and role that passes it a trial per seed, each at another of the times it is passed as far as there are so many. */
export function pointTrials(
  kind: 'kill' | 'zombie',
  passages: Passages,
  options: { readonly topology: Topology; readonly runner: RunnerName; readonly seeds: number },
): readonly Trial[] {
  const { topology, runner, seeds } = options;
  return allPoints().flatMap((point) =>
    [...passages].flatMap(([role, of]) => {
      const times = of.get(point) ?? 0;
      const hits = new Set(
        Array.from({ length: Math.min(seeds, times) }, (_, seed) =>
          seed === 0 ? 1 : 1 + Math.floor(chance(point, role, seed) * times),
        ),
      );
      return [...hits].map((hit): Trial => ({ kind, topology, runner, role, point, hit }));
    }),
  );
}

/** Where a run may kill every worker: before its session and in it, with its work in hand, on the branch, and after. */
const POISONS: readonly Failpoint[] = [
  'container.after-intent',
  'session.after-effect',
  'commit.after-effect',
  'push.after-effect',
  'keep.after-effect',
  'pull-request.after-intent',
  'settle.after-intent',
];

/** Fault F17: this many times a worker dies between making something on its engine and knowing of it. */
const LEFTOVERS = 50;

/** Trials at every time a run that leaves a spare lane and takes it passes a point of the Docker runner. */
async function spareTrials(
  components: Components,
  place: { readonly topology: Topology; readonly runner: RunnerName },
): Promise<readonly Trial[]> {
  if (place.topology !== 'server' || place.runner !== 'docker')
    throw new Error('only the Docker runner has spares: add --runner docker, and leave --topology out');
  await using world = await openWorld(components, place);
  await world.ensure('app');
  const worker = await world.start('worker', world.recording);
  const ground = await world.place();
  await untilOver(world, ground, await ask(ground, SPARING));
  await worker.stop();
  const passed = (await world.passed()).filter(({ pid }) => pid === worker.pid).map(({ point }) => point);
  return OF_LANES.flatMap((effect) => [`${effect}.after-intent` as const, `${effect}.after-effect` as const]).flatMap(
    (point) =>
      Array.from({ length: passed.filter((one) => one === point).length }, (_, at): Trial => ({
        kind: 'spare',
        ...place,
        role: 'worker',
        point,
        hit: at + 1,
      })),
  );
}

/** Trials at every time an undisturbed run makes a container, a lane or starts one, and again until there are enough. */
function leftoverTrials(
  passed: ReadonlyMap<Failpoint, number>,
  place: { readonly topology: Topology; readonly runner: RunnerName },
): readonly Trial[] {
  const role: Role = place.topology === 'up' ? 'up' : 'worker';
  const points = (['container', 'lane', 'session'] as const).flatMap((effect) => [
    `${effect}.after-intent` as const,
    `${effect}.after-effect` as const,
  ]);
  const each = points.flatMap((point) =>
    Array.from({ length: passed.get(point) ?? 0 }, (_, at): Trial => ({
      kind: 'kill',
      ...place,
      role,
      point,
      hit: at + 1,
    })),
  );
  if (each.length === 0) return [];
  return Array.from({ length: LEFTOVERS }, (_, at) => each[at % each.length]).filter((trial) => trial !== undefined);
}

/** What the command line asks for. */
export interface Plan {
  readonly trials: readonly Trial[];
  /** In how many worlds at the same time. */
  readonly lanes: number;
  /** File of the names of trials that held, which are not done again. */
  readonly progress: string | undefined;
  /** After so many milliseconds no further trial is begun. */
  readonly forMs: number;
}

/** Reads the command line. */
export async function planned(components: Components, argv: readonly string[]): Promise<Plan> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      seeds: { type: 'string', default: '2' },
      random: { type: 'string', default: '100' },
      crowds: { type: 'string', default: '1' },
      only: { type: 'string' },
      topology: { type: 'string', default: 'server' },
      runner: { type: 'string', default: 'local' },
      shard: { type: 'string', default: '1/1' },
      lanes: { type: 'string', default: '2' },
      progress: { type: 'string' },
      for: { type: 'string' },
    },
  });
  const place = { topology: values.topology as Topology, runner: values.runner as RunnerName };
  const wants = (family: string): boolean => positionals.length === 0 || positionals.includes(family);
  const trials: Trial[] = [];
  if (wants('kill') || wants('zombie')) {
    const passages = await passagesOf(components, place);
    const never = neverPassed(passages);
    if (never.length > 0) throw new Error(`no run passes ${never.join(', ')}`);
    if (wants('kill')) trials.push(...pointTrials('kill', passages, { ...place, seeds: Number(values.seeds) }));
    if (wants('zombie') && place.topology === 'server') {
      const worker = new Map([...passages].filter(([role]) => role === 'worker'));
      trials.push(...pointTrials('zombie', worker, { ...place, seeds: 1 }));
    }
  }
  if (positionals.includes('leftovers')) {
    const passages = await passagesOf(components, place);
    trials.push(...leftoverTrials(passages.get(place.topology === 'up' ? 'up' : 'worker') ?? new Map(), place));
  }
  if (positionals.includes('spares')) trials.push(...(await spareTrials(components, place)));
  if (wants('random'))
    trials.push(
      ...Array.from({ length: Number(values.random) }, (_, seed): Trial => ({ kind: 'random', ...place, seed })),
    );
  if (wants('poison') && place.topology === 'server')
    trials.push(...POISONS.map((point): Trial => ({ kind: 'poison', ...place, role: 'worker', point, hit: 1 })));
  if (wants('crowd') && place.topology === 'server') trials.push({ kind: 'crowd', ...place, seed: 1 });
  const { only } = values;
  const chosen = only === undefined ? trials : trials.filter((trial) => nameOf(trial).includes(only));
  // In an order that mixes them: what is cut short has seen something of everything.
  const mixed = chosen.toSorted((a, b) => chance(nameOf(a)) - chance(nameOf(b)));
  const [, shard, shards] = /^(\d+)\/(\d+)$/.exec(values.shard) ?? [];
  if (shard === undefined || shards === undefined || Number(shard) < 1 || Number(shard) > Number(shards))
    throw new Error(`--shard ${values.shard}: say 1/4 for the first of four parts`);
  const part = mixed.filter((_, at) => at % Number(shards) === Number(shard) - 1);
  const forMs = values.for === undefined ? Number.MAX_SAFE_INTEGER : Number(values.for) * 1_000;
  return { trials: part, lanes: Math.max(1, Number(values.lanes)), progress: values.progress, forMs };
}
