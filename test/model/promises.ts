import { hasOrders } from '../../src/domain/order.ts';
import { isFinal, isThrough, type Run } from '../../src/domain/run.ts';
import { naturalKey, triggerThread } from '../../src/domain/trigger.ts';
import type { IssueLabelEvent } from '../../src/domain/webhook.ts';
import { CALL } from './spending.ts';
import type { World } from './world.ts';

/*
 * The promises P1 to P3, of P14 what concerns runs, budgets, and progress, as what must be true once everything has gone quiet, whatever came before. Gives what is
 * broken, in words; nothing when all hold.
 */
export function brokenPromises(world: World): readonly string[] {
  return [
    ...world.broken,
    ...p1(world),
    ...p2(world),
    ...p3(world),
    ...p14(world),
    ...budgets(world),
    ...progress(world),
  ];
}

/**
 * P1: an acknowledged event is never lost. It is a run, or was refused, or there is a reason why nothing came of it; what a person
 * asked of a run was taken in, and what came of a command was told.
 */
function p1({ acknowledged, inbox, rows, comments, issues, poison }: World): readonly string[] {
  const over = [...rows.values()].filter(({ run }) => isFinal(run.state) && hasOrders(run));
  const lost = [...acknowledged].flatMap((guid) => {
    const row = inbox.get(guid);
    if (row?.note === undefined) return [`P1: ${guid} was acknowledged and nothing came of it`];
    const { event, note } = row;
    if (event.kind === 'unlabeled') return [];
    const runs = [...rows.values()].map(({ run }) => run);
    const key = requestKey(event);
    const isTakenUp =
      runs.some((run) => run.naturalKey.startsWith(key)) ||
      comments.includes(`refusal/${key}`) ||
      runs.some(({ id }) => note.startsWith('ignored: same') && note.endsWith(id));
    const wasTakenBack = issues.some(
      ({ number, off }) => number === event.issue.number && off.some((at) => at >= event.at),
    );
    return isTakenUp || wasTakenBack ? [] : [`P1: ${guid} (${note}) has neither run nor refusal`];
  });
  // Where telling anybody anything ends the process, nobody is told in the end.
  const isSilent = ({ trigger }: Run): boolean => poison.get(triggerThread(trigger) ?? 0) === 'tell';
  const untold = [...rows.values()].flatMap(({ run, orders }) =>
    (isSilent(run) ? [] : orders)
      .filter(({ order, number }) => order.kind === 'exec' && number <= (run.steering?.taken ?? 0))
      .filter(({ number }) => !comments.includes(`exec/${run.id}/${number}`))
      .map(({ number }) => `P1: nobody was told what came of order ${number} of ${run.id}`),
  );
  const forgotten = [...rows.values()].flatMap(({ run, tasks, sessions }) =>
    sessions.flatMap(({ id, attempt, taskKey, outcome }) => {
      if (outcome?.kind !== 'parked' || outcome.question === undefined) return [];
      const task = tasks.find(({ key }) => key === taskKey);
      const isKnown = task?.questions?.some(({ session }) => session === id) === true;
      const wentOn = task !== undefined && task.attempts > attempt;
      return isKnown || !wentOn ? [] : [`P1: ${run.id} went on without an answer to what ${id} asked`];
    }),
  );
  return [...lost, ...forgotten, ...untold, ...over.map(({ run }) => `P1: ${run.id} ended over what it was asked for`)];
}

/** P2: one request is at most one run, on one branch, with one pull request and one comment; one run at a time per issue; a command is run once. */
function p2({ rows, branches, pulls, comments, executed }: World): readonly string[] {
  const runs = [...rows.values()].map(({ run }) => run);
  const requests = runs.map(({ repository, trigger }) => naturalKey(repository.id, trigger));
  const owners = [...branches.values()].flatMap((commits) => [...new Set(commits.map(({ run }) => run))]);
  return [
    ...twice(requests).map((request) => `P2: ${request} has two runs`),
    ...twice(owners).map((run) => `P2: ${run} is on two branches, or a branch holds two runs`),
    ...twice(pulls).map((branch) => `P2: ${branch} has two pull requests`),
    ...twice(comments).map((key) => `P2: comment ${key} is there twice`),
    ...twice(executed).map((order) => `P2: the command of ${order} was run twice`),
  ];
}

/** P3: every task ends in one outcome; its commit is on the branch at most once, and the commits are in the tasks' order. */
function p3({ rows, branches, overtaken, pushed, kept }: World): readonly string[] {
  return [...rows.values()].flatMap(({ run, tasks, outcomes, ends, orders }) => {
    // Where a person had a task done again, or left one out, the others are not in its place any more. What was taken back may
    // still be on the branch when nothing came in its place (`pushed`).
    const isReordered = orders.some(({ order }) =>
      ['retry', 'resume', 'skip', 'redo', 'answer', 'approve'].includes(order.kind),
    );
    const commits = branches.get(run.branch) ?? [];
    const positions = commits.map(({ task }) => tasks.find(({ key }) => key === task)?.position ?? 0);
    const committed = tasks.flatMap(({ outcome }) => (outcome?.kind === 'committed' ? [outcome.commit] : []));
    const onBranch = commits.map(({ oid }) => oid);
    // A push was on the wire when its worker was overtaken, from where nothing can call it back.
    const isUnsaid = overtaken.has(run.id) && onBranch.length === committed.length + 1;
    const failedAt =
      run.settings.onFailure === 'continue' || run.settings.onFailure === 'ask' || isReordered
        ? -1
        : tasks.findIndex(({ outcome }) => outcome?.kind === 'failed');
    const ever = [...pushed].flatMap(([oid, of]) => (of.run === run.id ? [oid] : []));
    return [
      ...ever
        .filter((oid) => !onBranch.includes(oid) && !kept.has(oid))
        .map((oid) => `P3: ${oid} of ${run.id} was on its branch and is nowhere`),
      ...twice(outcomes).map((key) => `P3: task ${key} of ${run.id} has two outcomes`),
      ...twice(onBranch.length === new Set(positions).size ? [] : positions).map(
        (position) => `P3: task ${position} of ${run.id} has two commits`,
      ),
      ...(isReordered || positions.every((position, index) => position > (positions[index - 1] ?? 0))
        ? []
        : [`P3: the commits of ${run.id} are of tasks ${positions.join(', ')}`]),
      ...(run.pushed !== undefined || sameCommits(committed, onBranch.slice(0, isUnsaid ? -1 : undefined), isReordered)
        ? []
        : [`P3: ${run.id} says ${committed.join(', ')} and its branch ${onBranch.join(', ')}`]),
      ...(failedAt === -1 || tasks.slice(failedAt + 1).every(({ attempts }) => attempts === 0)
        ? []
        : [`P3: ${run.id} went on after task ${failedAt + 1} failed`]),
      ...(run.state !== 'succeeded' || tasks.every(isThrough) ? [] : [`P3: ${run.id} succeeded with tasks undone`]),
      ...twice(tasks.map(({ position }) => position)).map((position) => `P3: ${run.id} has two tasks ${position}`),
      ...twice(tasks.flatMap(({ questions = [] }) => questions.map((one) => one.id))).map(
        (id) => `P3: ${run.id} has two questions ${id}`,
      ),
      ...(ends > 1 ? [`P3: ${run.id} ended ${ends} times`] : []),
    ];
  });
}

/** P14: a run is given up for the death of workers only if one died, or lost it, with nothing else at hand. */
function p14({ rows, cutAlone }: World): readonly string[] {
  return [...rows.values()]
    .filter(({ run }) => run.stop === undefined && !cutAlone.has(run.id))
    .filter(({ run, tasks }) => / crashed/.test(JSON.stringify([run.reason, tasks.map(({ outcome }) => outcome)])))
    .map(({ run }) => `P14: ${run.id} was given up for what another run may have done`);
}

/** Budgets hold: what a run's worker spent, as far as that could be recorded, goes beyond its budget with the last call at most. */
function budgets({ rows, spent, spentLate }: World): readonly string[] {
  return [...rows.values()].flatMap(({ run }) => {
    const own = run.settings.budget?.run?.tokens;
    if (own === undefined) return [];
    const most = own + (run.steering?.budget?.tokens ?? 0) - 1 + CALL;
    const all = [...spent.values()]
      .filter(({ runId }) => runId === run.id)
      .reduce((sum, { tokens }) => sum + tokens, 0);
    const inTime = all - (spentLate.get(run.id) ?? 0);
    return inTime <= most ? [] : [`budget: ${run.id} spent ${inTime} tokens, and ${most} is the most`];
  });
}

function sameCommits(said: readonly string[], there: readonly string[], inAnyOrder: boolean): boolean {
  return inAnyOrder ? said.toSorted().join() === there.toSorted().join() : said.join() === there.join();
}

/** Nothing waits for ever: every event is settled, every run is final. */
function progress({ rows, inbox }: World): readonly string[] {
  return [
    ...[...inbox.values()]
      .filter(({ note }) => note === undefined)
      .map(({ guid }) => `progress: ${guid} is not settled`),
    ...[...rows.values()]
      .filter(({ run }) => !isFinal(run.state))
      .map(({ run }) => `progress: ${run.id} is ${run.state}`),
  ];
}

function requestKey({ repository, issue, label, at, sender }: IssueLabelEvent): string {
  return naturalKey(repository.id, { kind: 'label', issue: issue.number, label, at, sender });
}

function twice<T>(list: readonly T[]): readonly T[] {
  return list.filter((one, index) => list.indexOf(one) !== index);
}
