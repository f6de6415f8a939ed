import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Run, RunTask } from '../../src/domain/run.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { Announcer } from '../../src/workers/announce.ts';
import { NO_CHARGE } from '../../src/domain/spending.ts';
import type { WorkerDeps } from '../../src/workers/deps.ts';
import type { HeldRun } from '../../src/workers/held-run.ts';
import { aDoneTask, aRun, aTask, sha } from '../domain/report/a-run.ts';

const PUSHED: Partial<Run> = {
  trigger: { kind: 'push', path: '.maestro/playbooks/a.md', blob: sha('b'), after: sha('a'), ref: 'main' },
  playbook: { kind: 'file', path: '.maestro/playbooks/a.md', blob: sha('b'), text: '- [ ] one\n- [ ] two\n' },
  startedAt: undefined,
} as unknown as Partial<Run>;

/** An announcer over a run in memory; `said` is what reached GitHub. */
function announcing(change: Partial<Run>, room = 1) {
  let run = aRun(change);
  let tasks: readonly RunTask[] = [aTask(1), aTask(2)];
  let now = 0;
  const said: string[] = [];
  const forge = {
    writeRoom: () => room,
    ensurePullRequest: async () => {
      said.push('open');
      return { number: 9, url: 'u', draft: true };
    },
    describePullRequest: async () => void said.push('describe'),
    ensureCheck: async (_: unknown, check: { headSha: string; unlessAbsent?: true }) =>
      void said.push(`check ${check.headSha.slice(0, 1)}${check.unlessAbsent === true ? ' if there' : ''}`),
    ensureComment: async () => said.push('comment'),
    setStateLabel: async (_: unknown, __: number, label: string) => void said.push(label),
    branchHead: async () => sha('a'),
    markReady: async () => void said.push('ready'),
    react: async (_: unknown, __: unknown, content: string) => void said.push(content),
  };
  const announcer: Announcer = new Announcer({
    deps: {
      forge,
      clock: { now: () => (now += 60_000), monotonic: () => performance.now() },
      store: { spentByRun: async () => NO_CHARGE },
      settings: { statusIntervalMs: 20, budget: {} },
    } as unknown as WorkerDeps,
    held: {
      get run() {
        return run;
      },
      get tasks() {
        return tasks;
      },
      assertOurs: () => undefined,
      sessionsByProvider: async () => [],
      changeRun: async (to: Partial<Run>) => changeRun(to),
      audit: async () => undefined,
      effect: async (_: unknown, perform: () => Promise<unknown>) => await perform(),
    } as unknown as HeldRun,
    log: createLog({ level: 'silent' }),
    links: { repository: 'https://forge.test/octo/demo' },
  });
  function changeRun(to: Partial<Run>): void {
    run = { ...run, ...to };
    announcer.touch();
  }
  const committed = (position: number, commit: string): void => {
    tasks = tasks.map((task) =>
      task.position === position ? aDoneTask(position, { kind: 'committed', commit }) : task,
    );
    changeRun({ tip: commit });
  };
  return { announcer, said, changeRun, committed, ended: (): Run => ({ ...run, state: 'succeeded', endedAt: now }) };
}

it('of a run from a push says nothing in its thread before it ends, and nothing twice', async () => {
  const { announcer, said, changeRun, committed, ended } = announcing(PUSHED);
  await announcer.begin();
  changeRun({ startedAt: 1 });
  committed(1, sha('1'));
  await announcer.ensurePullRequest();
  await pause(80);
  expect(said).toEqual(['open', 'describe', 'check 1']);

  changeRun({ setbacks: undefined });
  await pause(80);
  expect(said).toHaveLength(3);

  committed(2, sha('2'));
  await announcer.finish(ended());
  expect(said.slice(3)).toEqual(['ready', 'describe', 'check 2', 'check 1 if there', 'comment', 'maestro-done']);
});

it('of an issue comments at once, however little room there is; edits in between wait, the last word does not', async () => {
  const { announcer, said, changeRun, committed, ended } = announcing({ startedAt: undefined }, 0.1);
  await announcer.begin();
  await pause(80);
  expect(said).toEqual(['rocket', 'comment', 'maestro-running']);

  committed(1, sha('1'));
  changeRun({ statusCommentId: 2 });
  await pause(80);
  expect(said).toHaveLength(3);

  await announcer.finish(ended());
  expect(said.slice(3)).toEqual(['comment', 'maestro-done', 'hooray']);
});

it('of a run taken up again brings checks of its earlier life up to date, where there are any', async () => {
  const { announcer, said, committed, ended } = announcing({
    ...PUSHED,
    startedAt: 1,
    pullRequest: { number: 9, url: 'u', draft: true },
  });
  committed(1, sha('1'));
  committed(2, sha('2'));
  await announcer.finish(ended());

  expect(said).toEqual(['ready', 'describe', 'check 2', 'check 1 if there', 'comment', 'maestro-done']);
});
