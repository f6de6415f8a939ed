import { setTimeout as pause } from 'node:timers/promises';
import { auditHome, auditPlace } from '../e2e/audit.ts';
import type { Place } from '../e2e/place.ts';
import { looksOver, unfulfilled, type Work } from './work.ts';
import type { World } from './world.ts';

/** How long a run may take to its end after it was cut, on a machine that is busy. Milliseconds. */
const END_MS = 150_000;

/** How long what a crash left may lie about once its run is over. Milliseconds; several rounds of the reconciler. */
const TIDY_MS = 12_000;

/** Waits until the run is over and all webhooks are dealt with, or the time is up. On the embedded database ends the process. */
export async function untilOver(world: World, place: Place, issue: number): Promise<void> {
  const until = Date.now() + END_MS;
  while (Date.now() < until) {
    if (await looksOver(place, issue)) {
      if (world.topology === 'server') {
        const runs = await place.runs();
        const pending = await world.store.pendingDeliveries(Number.MAX_SAFE_INTEGER, 1);
        if (runs.every((run) => run.endedAt !== undefined) && pending.length === 0) return;
      } else {
        await silence(world);
        await world.settle();
        const runs = await place.runs();
        if (runs.length > 0 && runs.every((run) => run.endedAt !== undefined)) return;
        await world.ensure('up');
      }
    }
    await pause(100);
  }
  await world.settle();
}

/** Until nothing has been asked of GitHub for a while. */
async function silence(world: World): Promise<void> {
  for (let before = -1, now = 0; before !== now;) {
    before = now;
    await pause(1_000);
    now = world.github.control.counts().requests;
  }
}

/** Everything that is wrong once all is over. What has to be tidied up gets a while for it. */
export async function verdict(world: World, place: Place, issue: number, work: Work): Promise<readonly string[]> {
  const until = Date.now() + TIDY_MS;
  for (;;) {
    const problems = [
      ...(await unfulfilled(world, place, issue, work)),
      ...(await audited(world, place)).flatMap((problem) =>
        work.costIsLost === true ? withoutLost(problem) : [problem],
      ),
      ...(await world.bystanderGone()),
    ];
    if (problems.length === 0 || Date.now() > until) return problems;
    await pause(500);
  }
}

/** What is wrong once the run is over. */
export async function judged(
  world: World,
  place: Place,
  issue: number,
  work: Work,
): Promise<{ readonly problems: readonly string[] }> {
  await untilOver(world, place, issue);
  return { problems: await verdict(world, place, issue, work) };
}

/** What the audit complains of, but for sessions of a run that was rebuilt: their record went with the database. */
function withoutLost(problem: string): readonly string[] {
  const [title, ...complaints] = problem.split('\n');
  const left = complaints.filter((line) => !/counts \d+ attempts and has 0 sessions$/.test(line));
  return complaints.length > 0 && left.length === 0 ? [] : [[title, ...left].join('\n')];
}

/** What the audit has against a repository and the whole installation. */
export async function audited(world: World, place: Place): Promise<readonly string[]> {
  return [
    ...(await complaint(async () => await auditPlace(world, place))),
    ...(await complaint(async () => await auditHome(world, { isWorking: true }))),
  ];
}

async function complaint(audit: () => Promise<void>): Promise<readonly string[]> {
  try {
    await audit();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message.replace(/\nLogged:[\s\S]*$/, '') : String(error)];
  }
}
