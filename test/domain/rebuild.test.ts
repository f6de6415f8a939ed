import { expect, it } from 'vitest';
import { isWhole, rebuildRun, type Remains } from '../../src/domain/rebuild.ts';
import { runIdFor, type SessionId } from '../../src/domain/ids.ts';
import { renderCommitMessage } from '../../src/domain/report/commit-message.ts';
import { parsePullRequest } from '../../src/domain/report/pull-request-facts.ts';
import { renderPullRequest } from '../../src/domain/report/pull-request.ts';
import { askedDigest, checkRecord, recordOf } from '../../src/domain/run-record.ts';
import type { Run, RunTask } from '../../src/domain/run.ts';
import { naturalKey, type Trigger } from '../../src/domain/trigger.ts';
import { parsePlaybook } from '../../src/playbook/parse.ts';
import { aRun, aTask, START } from './report/a-run.ts';

const TEXT = '- [x] Done before\n- [ ] One\n- [ ] Two\n- [ ] Three\n';
const SHA = { one: '1'.repeat(40), foreign: 'f'.repeat(40) };
const trigger: Trigger = { kind: 'label', issue: 12, label: 'maestro', at: START, sender: { id: 7, login: 'mona' } };
const key = naturalKey(1, trigger);
const id = runIdFor(key);

/** A run of three tasks: one committed, one without changes, one open. */
function anyRun(): { readonly run: Run; readonly tasks: readonly RunTask[] } {
  const playbook = { kind: 'checklist', issue: 12, title: 'Tidy the API', text: TEXT } as const;
  const pullRequest = { number: 13, url: 'https://github.com/octo/demo/pull/13', draft: true };
  const branch = `maestro/tidy-the-api-${id.slice(1, 8)}`;
  const run = aRun({ id, naturalKey: key, trigger, playbook, branch, pullRequest, tip: SHA.one });
  const boxes = parsePlaybook(TEXT).boxes.slice(1);
  const tasks = boxes.map((box, index) =>
    aTask(index + 1, { runId: id, key: box.key, title: box.title, text: box.text, attempts: 2 }),
  );
  const [one, two, three] = tasks;
  if (one === undefined || two === undefined || three === undefined) throw new Error('three tasks');
  const committed = { ...one, outcome: { kind: 'committed', commit: SHA.one, parent: run.base.sha } } as const;
  return { run, tasks: [committed, { ...two, outcome: { kind: 'no-change' } }, three] };
}

function remainsOf(change: Partial<Remains> = {}, text = TEXT.replace('[ ] One', '[x] One')): Remains {
  const { run, tasks } = anyRun();
  const [one] = tasks;
  const session = { id: `${id}-1-2` as SessionId, provider: 'claude-code' };
  const message = one === undefined ? '' : renderCommitMessage({ run, task: one, session, total: 3 });
  const source = { kind: 'checklist', issue: 12, title: 'Tidy the API', text } as const;
  return {
    repository: run.repository,
    record: recordOf(run, tasks),
    branch: run.branch,
    title: run.title,
    pullRequest: { number: 13, url: run.pullRequest?.url ?? '', draft: true, open: true, merged: false },
    facts: parsePullRequest(renderPullRequest({ run, tasks, now: START }).body),
    commits: [{ sha: SHA.one, message }],
    asked: { source, playbook: parsePlaybook(text), instructions: '' },
    now: START + 1,
    ...change,
  };
}

it('gives back the run as it stood, with its open task open', () => {
  const { run, tasks } = anyRun();
  const rebuilt = rebuildRun(remainsOf());

  const { state, playbook, ...same } = rebuilt.run;
  expect(state).toBe('queued');
  expect(playbook).toMatchObject({ kind: 'checklist', issue: 12 });
  expect(same).toEqual({ ...run, state: undefined, playbook: undefined, ...same });
  expect(same).toMatchObject({
    id,
    naturalKey: key,
    tip: SHA.one,
    base: run.base,
    branch: run.branch,
    stop: undefined,
  });
  expect(rebuilt.tasks.map(({ key, text, position }) => ({ key, text, position }))).toEqual(
    tasks.map(({ key, text, position }) => ({
      key,
      text: position === 1 ? text.replace('[ ]', '[x]') : text,
      position,
    })),
  );
  expect(rebuilt.tasks.map(({ outcome }) => outcome)).toEqual(tasks.map(({ outcome }) => outcome));
  expect(rebuilt.tasks.map(({ attempts }) => attempts)).toEqual([2, 0, 0]);
});

it('believes the branch before the text of the pull request', () => {
  const [one, two, three] = rebuildRun(remainsOf({ facts: undefined })).tasks;

  expect(one?.outcome).toEqual({ kind: 'committed', commit: SHA.one, parent: anyRun().run.base.sha });
  expect([two?.outcome, three?.outcome]).toEqual([undefined, undefined]);
});

it('knows of tasks that were added what was committed; one that was not is to be added again', () => {
  const { run, tasks } = anyRun();
  const added = [4, 5].map((position) =>
    aTask(position, { runId: id, title: `More ${position}`, added: { by: 'ada' } }),
  );
  const [four] = added;
  const sha = '4'.repeat(40);
  const session = { id: `${id}-4-1` as SessionId, provider: 'claude-code' };
  const message = four === undefined ? '' : renderCommitMessage({ run, task: four, session, total: 5 });
  const all = [...tasks, ...added];
  const remains = remainsOf({
    record: recordOf(run, all),
    facts: parsePullRequest(renderPullRequest({ run, tasks: all, now: START }).body),
    commits: [...remainsOf().commits, { sha, message }],
  });

  expect(isWhole(remains)).toBe(true);
  expect(rebuildRun(remains).tasks.slice(2)).toMatchObject([
    { key: tasks[2]?.key, outcome: undefined },
    { key: four?.key, title: 'More 4', outcome: { kind: 'committed', commit: sha, parent: SHA.one } },
    { title: 'More 5', outcome: { kind: 'skipped', reason: expect.stringContaining('add the task again') as string } },
  ]);
});

it('does not take a commit of somebody else for its own', () => {
  const { commits } = remainsOf();
  const foreign = { sha: SHA.foreign, message: 'Something of mine\n' };

  expect(rebuildRun(remainsOf({ commits: [...commits, foreign] })).run.tip).toBe(SHA.one);
});

it('only records a run that was over, or whose pull request is', () => {
  const { record, pullRequest } = remainsOf();

  expect(rebuildRun(remainsOf({ record: { ...record, state: 'failed' } })).run.state).toBe('failed');
  expect(rebuildRun(remainsOf({ pullRequest: { ...pullRequest, open: false } })).run).toMatchObject({
    state: 'stopped',
    reason: expect.stringContaining('closed meanwhile') as string,
  });
});

it('has a run stopped when what was asked is not known any more', () => {
  expect(isWhole(remainsOf())).toBe(true);
  expect(isWhole(remainsOf({}, '- [ ] One\n'))).toBe(false);
  expect(rebuildRun(remainsOf({ asked: undefined })).run).toMatchObject({
    state: 'queued',
    stop: { by: 'maestro', reason: expect.stringContaining('ask again') as string },
  });
});

it('sees a change of what was asked, but not a tick', () => {
  const source = { kind: 'checklist', issue: 12, title: 'T', text: TEXT } as const;
  const asked = askedDigest(source, 'words');

  expect(askedDigest({ ...source, text: TEXT.replaceAll('[ ]', '[x]') }, 'words')).toBe(asked);
  expect(askedDigest({ ...source, text: TEXT.replace('Two', 'Too') }, 'words')).not.toBe(asked);
  expect(askedDigest({ ...source, title: 'U' }, 'words')).not.toBe(asked);
  expect(askedDigest(source, 'other words')).not.toBe(asked);
});

it('takes a record only for its own repository and branch', () => {
  const { record, branch } = remainsOf();

  expect(checkRecord(record, 1, branch)).toEqual(record);
  expect(checkRecord(record, 2, branch)).toBeUndefined();
  expect(checkRecord(record, 1, 'maestro/other-abcdefg')).toBeUndefined();
  expect(checkRecord(undefined, 1, branch)).toBeUndefined();
});
