import { parseArgs } from 'node:util';
import { EFFECTS, MOMENTS, type EffectName, type Failpoint } from '../../src/telemetry/failpoint.ts';
import { untilOver } from './judge.ts';
import { chance, nameOf, type Role, type RunnerName, type Topology, type Trial } from './trial.ts';
import { ask, KEEPING, TWO } from './work.ts';
import { openWorld, type Components } from './world.ts';

/** How often a process of a role passes a point in an undisturbed run of the work the point's trials do. */
export type Passages = ReadonlyMap<Role, ReadonlyMap<Failpoint, number>>;

/** Lets runs go undisturbed and counts the points they pass. */
export async function passagesOf(
  components: Components,
  options: { readonly topology: Topology; readonly runner: RunnerName },
): Promise<Passages> {
  const counts = new Map<Role, Map<Failpoint, number>>();
  for (const work of [TWO, KEEPING]) {
    await using world = await openWorld(components, options);
    const roles: readonly Role[] = options.topology === 'up' ? ['up'] : ['app', 'worker'];
    const running = await Promise.all(roles.map(async (role) => await world.start(role, world.recording)));
    await Promise.all(running.map(async (one) => await one.ready()));
    const place = await world.place();
    await untilOver(world, place, await ask(place, work));
    for (const { pid, point } of await world.passed()) {
      const role = running.find((one) => one.pid === pid)?.role;
      if (role === undefined || (work === KEEPING) !== point.startsWith('keep.')) continue;
      const of = counts.get(role) ?? new Map<Failpoint, number>();
      counts.set(role, of.set(point as Failpoint, (of.get(point as Failpoint) ?? 0) + 1));
    }
  }
  return counts;
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

/** The trials asked for on the command line. */
export async function planned(components: Components, argv: readonly string[]): Promise<readonly Trial[]> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      seeds: { type: 'string', default: '2' },
      random: { type: 'string', default: '100' },
      only: { type: 'string' },
      topology: { type: 'string', default: 'server' },
      runner: { type: 'string', default: 'local' },
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
  return chosen.toSorted((a, b) => chance(nameOf(a)) - chance(nameOf(b)));
}
