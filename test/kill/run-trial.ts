import { setTimeout as pause } from 'node:timers/promises';
import { hasOrders } from '../../src/domain/order.ts';
import type { Run } from '../../src/domain/run.ts';
import { MOST_LIVES } from '../../src/domain/setback.ts';
import type { EffectName } from '../../src/telemetry/failpoint.ts';
import type { Place } from '../e2e/place.ts';
import { comingBackWith, type ComingBack } from './coming-back.ts';
import { others, restarted } from './cast.ts';
import { audited, judged, untilOver, verdict } from './judge.ts';
import type { Running } from './product.ts';
import { chance, type Role, type Trial } from './trial.ts';
import { killSparing } from './spares.ts';
import { ask, looksOver, TWO, workWith } from './work.ts';
import type { World } from './world.ts';

export interface TrialResult {
  /** Empty when all is well. */
  readonly problems: readonly string[];
  /** Whether what the trial is about happened: a point is not always passed as often as in another run. */
  readonly hit: boolean;
  /** From the cut to the first thing done for the run afterwards. Milliseconds; undefined when nothing was left to do. */
  readonly recoveryMs: number | undefined;
  readonly tookMs: number;
  /** What the product logged meanwhile. */
  readonly log: readonly string[];
}

/** How long a point may take to be reached, a cold start included. */
const REACH_MS = 150_000;

/** Longest time after the request that a random cut comes: runs of these trials last about that long. */
const RUN_MS = 5_000;

/** Does one trial in a world. Never rejects: what goes wrong is a problem of the trial. */
export async function runTrial(world: World, trial: Trial): Promise<TrialResult> {
  const began = Date.now();
  const from = world.log.length;
  const outcome = await perform(world, trial).catch((error: unknown) => ({
    problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    hit: true,
    recoveryMs: undefined,
  }));
  return { ...outcome, tookMs: Date.now() - began, log: world.log.slice(from) };
}

type Outcome = Omit<TrialResult, 'tookMs' | 'log'>;

async function perform(world: World, trial: Trial): Promise<Outcome> {
  switch (trial.kind) {
    case 'kill':
      return await killAt(world, trial);
    case 'spare':
      return { ...(await killSparing(world, trial)), recoveryMs: undefined };
    case 'zombie':
      return await sleepAt(world, trial);
    case 'random':
      return await killSometime(world, trial);
    case 'poison':
      return await poison(world, trial);
    case 'crowd':
      return await crowd(world, trial.seed);
  }
}

type Pointed = Extract<Trial, { readonly point: unknown }>;

/** The process dies at a point; another takes its place. */
async function killAt(world: World, trial: Pointed): Promise<Outcome> {
  const situation = comingBackWith(effectOf(trial));
  if (situation !== undefined) return await killComingBack(world, trial, situation);
  const victim = await restarted(world, trial.role, {
    MAESTRO_FAILPOINTS: `${trial.point}=kill@${trial.hit}`,
    ...world.recording,
  });
  await others(world, trial.role);
  const place = await world.place();
  const work = workWith(effectOf(trial));
  const issue = await ask(place, work);
  const over = await Promise.race([victim.ended, untilReached(world, place, issue)]);
  const at = Date.now();
  if (over === 'over') return await notHit(world, trial.role, await judged(world, place, issue, work));
  if (over !== 'SIGKILL')
    return {
      problems: [`the ${trial.role} ended with ${over} instead of being killed`],
      hit: true,
      recoveryMs: undefined,
    };
  const recovery = nextStep(world, place, at);
  await restarted(world, trial.role);
  if (trial.role !== 'worker') await world.redeliver();
  const result = await judged(world, place, issue, work);
  return { ...result, hit: true, recoveryMs: await recovery };
}

/** What was to cut off at a point it did not come by must not do so in the next trial. */
async function notHit(world: World, role: Role, result: Pick<Outcome, 'problems'>): Promise<Outcome> {
  await world.endAll(role);
  return { ...result, hit: false, recoveryMs: undefined };
}

/** Nobody hears of the request; a process comes back and dies at a point, and another does. */
async function killComingBack(world: World, trial: Pointed, situation: ComingBack): Promise<Outcome> {
  const { work } = situation;
  await world.endAll(trial.role);
  const place = await world.place();
  const issue = await situation.ask(world, place);
  const failpoints = { MAESTRO_FAILPOINTS: `${trial.point}=kill@${trial.hit}` };
  const victim = await world.start(trial.role, { ...situation.first, ...failpoints });
  await others(world, trial.role);
  const over = await Promise.race([victim.ended, untilReached(world, place, issue)]);
  const at = Date.now();
  const isHit = over === 'SIGKILL';
  const recovery = isHit ? nextStep(world, place, at) : Promise.resolve(undefined);
  await restarted(world, trial.role, situation.second);
  const result = await judged(world, place, issue, work);
  // It looks more often than what comes next should.
  await world.endAll(trial.role);
  return { ...result, hit: isHit, recoveryMs: await recovery };
}

/** The process dies some time after the request. */
async function killSometime(world: World, trial: Extract<Trial, { readonly kind: 'random' }>): Promise<Outcome> {
  const role: Role = world.topology === 'up' ? 'up' : chance('role', trial.seed) < 0.75 ? 'worker' : 'app';
  const victim = await world.ensure(role);
  await others(world, role);
  const place = await world.place();
  const issue = await ask(place, TWO);
  await pause(chance('time', trial.seed) * RUN_MS);
  await victim.kill();
  const at = Date.now();
  const recovery = nextStep(world, place, at);
  await restarted(world, role);
  if (role !== 'worker') await world.redeliver();
  const result = await judged(world, place, issue, TWO);
  return { ...result, hit: true, recoveryMs: await recovery };
}

/** A worker falls asleep at a point past its lease, another takes over, the first wakes: it may do nothing any more. */
async function sleepAt(world: World, trial: Pointed): Promise<Outcome> {
  const sleeper = await restarted(world, 'worker', { MAESTRO_FAILPOINTS: `${trial.point}=stop@${trial.hit}` });
  await others(world, 'worker');
  const place = await world.place();
  const work = workWith(effectOf(trial));
  const issue = await ask(place, work);
  const reached = await Promise.race([untilAsleep(sleeper), untilReached(world, place, issue)]);
  const at = Date.now();
  if (reached === 'over') return await notHit(world, 'worker', await judged(world, place, issue, work));
  const recovery = nextStep(world, place, at);
  const second = await world.start('worker');
  await untilOver(world, place, issue);
  await world.github.control.hooksQuiet();
  const since = world.github.control.counts();
  const before = await recorded(world, place);
  sleeper.wake();
  await pause(2_500);
  const written = world.github.control
    .requests(since.requests)
    .filter(
      ({ actorKind, method, path }) =>
        actorKind === 'installation' && method !== 'GET' && !path.includes('/git-upload-pack'),
    )
    .map(({ method, path }) => `the worker that had lost its lease sent ${method} ${path}`);
  const moved = world.github.control
    .refUpdates(since.refUpdates)
    .map(({ ref }) => `the worker that had lost its lease moved ${ref}`);
  const after = await recorded(world, place);
  const changed =
    before === after ? [] : [`the worker that had lost its lease changed the record:\n${before}\n${after}`];
  const woken = sleeper.isAlive() ? [] : ['the worker that had lost its lease died when it woke'];
  const result = await judged(world, place, issue, work);
  await sleeper.stop();
  await second.stop();
  return {
    problems: [...written, ...moved, ...changed, ...woken, ...result.problems],
    hit: true,
    recoveryMs: await recovery,
  };
}

/** A run whose work kills every worker that takes it up: it ends as failed, and a run beside it as it should. */
async function poison(world: World, trial: Pointed): Promise<Outcome> {
  await world.endAll('worker');
  await world.ensure('app');
  const [place, beside] = [await world.place(), await world.place()];
  const issue = await ask(place, workWith(effectOf(trial)));
  const other = await ask(beside, TWO);
  const { id } = await firstRun(place);
  await firstRun(beside);
  const extra = { MAESTRO_FAILPOINTS: `${trial.point}=kill@${trial.hit}/${id}` };
  const until = Date.now() + POISON_MS;
  let crashes = 0;
  while (Date.now() < until && !(await over(world, place))) {
    const victim = await world.start('worker', extra);
    const how = await Promise.race([victim.ended, untilEnded(world, place, until)]);
    if (how === 'SIGKILL') crashes += 1;
    else await victim.stop();
  }
  await world.ensure('worker');
  await untilOver(world, beside, other);
  const [run] = await place.runs();
  const problems = [...(await verdict(world, beside, other, TWO))];
  const said = JSON.stringify([run?.reason, run === undefined ? [] : await world.store.tasksOf(run.id)]);
  if (run?.state !== 'failed')
    problems.push(`after ${crashes} crashes the run is ${run?.state} (${run?.reason ?? ''})`);
  if (!/crash/.test(said)) problems.push(`the record does not tell of the crashes: ${said.slice(0, 500)}`);
  // Two beside the other, one by itself; one more where the first of them had begun a session, which is counted with those.
  if (crashes < MOST_LIVES || crashes > MOST_LIVES + 1) problems.push(`it took ${crashes} crashes`);
  if ((await place.answers(issue)).length !== 1) problems.push('the person was not told once');
  return { problems: [...problems, ...(await audited(world, place))], hit: crashes > 0, recoveryMs: undefined };
}

/** The first run of a place, once it is saved. */
async function firstRun(place: Place): Promise<Run> {
  for (const until = Date.now() + REACH_MS; Date.now() < until; await pause(50)) {
    const [run] = await place.runs();
    if (run !== undefined) return run;
  }
  throw new Error('no run was saved');
}

/** Three workers on one database with more runs than they can take; one of them dies on the way. */
async function crowd(world: World, seed: number): Promise<Outcome> {
  await world.endAll('worker');
  await world.ensure('app');
  const workers = await Promise.all([1, 2, 3].map(async () => await world.start('worker')));
  const asked: { readonly place: Place; readonly issue: number }[] = [];
  for (let at = 0; at < CROWD; at += 1) {
    const place = await world.place();
    asked.push({ place, issue: await ask(place, TWO) });
  }
  await pause(chance('crowd', seed) * RUN_MS);
  await workers[Math.floor(chance('who', seed) * workers.length)]?.kill();
  const problems: string[] = [];
  for (const { place, issue } of asked) await untilOver(world, place, issue);
  for (const { place, issue } of asked) problems.push(...(await verdict(world, place, issue, TWO)));
  await world.endAll('worker');
  return { problems, hit: true, recoveryMs: undefined };
}

/** How long a poisonous run may go on killing workers, each of which starts cold. */
const POISON_MS = 300_000;

/** Runs in a crowd. */
const CROWD = 12;

async function untilEnded(world: World, place: Place, until: number): Promise<'over'> {
  while (Date.now() < until && !(await over(world, place))) await pause(200);
  return 'over';
}

async function recorded(world: World, place: Place): Promise<string> {
  const runs = await place.runs();
  return JSON.stringify(
    await Promise.all(
      runs.map(async (run) => [
        run,
        await world.store.tasksOf(run.id),
        await world.store.sessionsOf(run.id),
        await world.store.auditOf(run.id),
      ]),
    ),
  );
}

async function untilReached(world: World, place: Place, issue: number): Promise<'over'> {
  const until = Date.now() + REACH_MS;
  while (Date.now() < until) {
    if (await looksOver(place, issue)) {
      // What comes after the last word has its points as well.
      const late = Date.now() + (world.topology === 'up' ? 3_000 : 30_000);
      while (Date.now() < late && !(await over(world, place))) await pause(100);
      await pause(1_500);
      return 'over';
    }
    await pause(100);
  }
  return 'over';
}

async function untilAsleep(process: Running): Promise<'asleep'> {
  while (!(await process.isAsleep())) {
    if (!process.isAlive()) throw new Error('the worker died instead of falling asleep');
    await pause(50);
  }
  return 'asleep';
}

/** How long after `at` the App asks something of GitHub for the run's repository; undefined when it does not within two minutes. */
async function nextStep(world: World, place: Place, at: number): Promise<number | undefined> {
  const from = world.github.control.counts().requests;
  while (Date.now() < at + 120_000) {
    const next = world.github.control
      .requests(from)
      .find(
        ({ actorKind, path }) =>
          actorKind === 'installation' && (path.includes(`/${place.name}`) || path.endsWith(`/${place.id}`)),
      );
    if (next !== undefined) return Math.max(0, Date.parse(next.at) - at);
    if (await over(world, place)) return undefined;
    await pause(100);
  }
  return 120_000;
}

async function over(world: World, place: Place): Promise<boolean> {
  try {
    const runs = await place.runs();
    return runs.length > 0 && runs.every((run) => run.endedAt !== undefined && !hasOrders(run));
  } catch {
    return false;
  }
}

function effectOf(trial: Pointed): EffectName {
  return trial.point.split('.')[0] as EffectName;
}
