import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { play, schedule, type Command } from './schedule.ts';
import type { Bugs } from './world.ts';

/** Schedules tried; MAESTRO_MODEL_RUNS says how many more or fewer. */
const RUNS = Number(process.env['MAESTRO_MODEL_RUNS'] ?? 20_000);

/** `MAESTRO_MODEL=<seed>:<path>`, as a failure prints it, tries that one schedule again. */
const [SEED, PATH] = (process.env['MAESTRO_MODEL'] ?? '').split(/:(.*)/s);

/** The first schedule that breaks a promise whose name matches, made as short as it can be; undefined when `runs` schedules break none. */
function search(
  bugs: Bugs,
  runs: number,
  { promise = /^/, isReplayed = false } = {},
): fc.RunDetails<[readonly Command[]]> {
  const replay =
    !isReplayed || SEED === undefined || SEED === ''
      ? {}
      : { seed: Number(SEED), ...(PATH === undefined ? {} : { path: PATH }) };
  return fc.check(
    fc.property(schedule, (commands) => !play(commands, bugs).some((broken) => promise.test(broken))),
    { numRuns: runs, ...replay },
  );
}

/** What happened in a schedule that broke a promise, moment by moment, and how to see it again. */
function story(found: fc.RunDetails<[readonly Command[]]>, bugs: Bugs): string {
  const [commands] = found.counterexample ?? [[]];
  const trace: string[] = [];
  const broken = play(commands, bugs, trace);
  return [...broken, ...trace, `again: MAESTRO_MODEL=${found.seed}:${found.counterexamplePath ?? ''}`].join('\n');
}

describe('the core of a run, under any schedule of events, crashes, pauses and faults', () => {
  it(`keeps the promises P1 to P3 and P14 and gets everything done (${RUNS} schedules)`, { timeout: 600_000 }, () => {
    const found = search({}, RUNS, { isReplayed: true });
    expect(found.failed ? story(found, {}) : 'all promises kept').toBe('all promises kept');
    expect(found.numRuns).toBeGreaterThan(0);
  });

  it.each<[string, Bugs, RegExp]>([
    ['a stale worker may write', { noEpochCheck: true }, /^P3/],
    ['requests are known by their delivery', { dedupeByGuid: true }, /^P2/],
    ['what is made is not looked for first', { blindRetry: true }, /^P2/],
    ['events are acknowledged before they are saved', { ackBeforeSave: true }, /^P1/],
    ['a push overwrites what is there', { pushWithoutLease: true }, /^P3/],
    ["another session's push passes for a task's own", { pushKeyedByTask: true }, /^P3/],
    ['a worker trusts its memory after a write failed', { trustsItsMemory: true }, /^P3/],
    ['a failure is forgotten with the worker that saw it', { forgetsFailures: true }, /^P3/],
    ['two runs may do the same work', { noWorkKey: true }, /^P2/],
    ['a run that was there when workers died is taken up beside others', { suspectsBeside: true }, /^P14/],
    ['orders are taken in over a push that was begun', { ordersBeforePush: true }, /^P3/],
    ['a run that is stopped ends over a push that was begun', { endsOverPush: true }, /^P3/],
    ['what is taken back is not kept', { keepsNothing: true }, /^P3/],
    ['a task is taken back over a push that was begun', { redoOverPush: true }, /^P3/],
    ['a run may end over what it was asked for', { endsOverOrders: true }, /^P1/],
    ['a command is run without a look at what is on record of it', { runsAgain: true }, /^P2/],
    ['a question is forgotten with the worker that heard it', { forgetsQuestions: true }, /^P1/],
    ['what earlier sessions spent is forgotten', { forgetsSpending: true }, /^budget/],
    ['nobody puts runs in line again', { noReconciler: true }, /^progress/],
  ])('would be found out if %s', { timeout: 600_000 }, (_, bugs, promise) => {
    expect(search(bugs, 100_000, { promise }).failed).toBe(true);
  });
});
