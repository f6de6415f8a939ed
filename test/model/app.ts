import { ACTIVE_STATES, findObstacle } from '../../src/domain/active-run.ts';
import { runIdFor } from '../../src/domain/ids.ts';
import { decideLabel } from '../../src/domain/label.ts';
import { planRun } from '../../src/domain/plan-run.ts';
import type { Playbook, PlaybookSource } from '../../src/domain/playbook.ts';
import { isFinal, type Run } from '../../src/domain/run.ts';
import { naturalKey, type Trigger } from '../../src/domain/trigger.ts';
import { parsePlaybook } from '../../src/playbook/parse.ts';
import type { Delivery, InboxRow, World } from './world.ts';

/** A process of the app at work. It may be cut off, or others may go on, wherever it yields. */
export type Process = Generator<undefined, void>;

/** Text of each issue, by number: a task may fail and end the run in the first, may not in the second, whose budget is small, and people are asked in the third. */
const TEXTS: readonly string[] = [
  '',
  '- [ ] one\n- [ ] two\n- [ ] three\n',
  '---\non-failure: continue\nbudget: { run: 8 tokens, task: 6 tokens }\n---\n- [ ] red\n- [ ] blue\n',
  '---\non-failure: ask\non-no-answer: continue\nanswer-within: 1h\n---\n- [ ] left\n- [ ] right\n',
];

const SOURCES: readonly { readonly source: PlaybookSource; readonly playbook: Playbook }[] = TEXTS.map(
  (text, issue) => ({
    source: { kind: 'checklist', issue, title: `Issue ${issue}`, text },
    playbook: parsePlaybook(text),
  }),
);

/** Receives a webhook: saved, then acknowledged. */
export function* receive(world: World, delivery: Delivery): Process {
  const acknowledge = (): void => void world.acknowledged.add(delivery.guid);
  if (world.bugs.ackBeforeSave === true) acknowledge();
  yield;
  world.save(delivery);
  yield;
  acknowledge();
}

/** Carries out what a saved delivery asks for, as `src/app/triggers/label.ts` and `src/app/start.ts` do. */
export function* handle(world: World, row: InboxRow): Process {
  const decision = decideLabel(row.event, ['scripted']);
  yield;
  if (decision.kind === 'stop') world.settle(row.guid, yield* stop(world, row));
  else if (decision.kind === 'start') world.settle(row.guid, yield* start(world, row, decision.trigger));
  else throw new Error(`the model makes no event that is decided as ${decision.kind}`);
}

function* stop(world: World, { event }: InboxRow): Generator<undefined, string> {
  const current = world.forge('look at the issue', () =>
    world.issues.find(({ number }) => number === event.issue.number),
  );
  yield;
  if (current?.labelled === true) return 'ignored: the label was put on again meanwhile';
  const runs = world
    .active()
    .filter(({ trigger }) => threadOf(trigger) === event.issue.number && trigger.at <= event.at);
  for (const run of runs) {
    yield;
    world.requestStop(run.id, world.time);
    yield;
    world.enqueue(run.id, undefined);
  }
  return `stopped ${runs.map(({ id }) => id).join(' ')}`;
}

function threadOf(trigger: Trigger): number | undefined {
  return trigger.kind === 'push' ? undefined : trigger.issue;
}

function* start(world: World, row: InboxRow, trigger: Trigger): Generator<undefined, string> {
  const { event } = row;
  const current = world.forge('look at the issue', () =>
    world.issues.find(({ number }) => number === event.issue.number),
  );
  yield;
  if (current?.labelled !== true) return 'ignored: the label was taken off meanwhile';
  const part = world.bugs.dedupeByGuid === true ? row.guid : '';
  const id = runIdFor(naturalKey(event.repository.id, trigger, part));
  const earlier = world.rows.get(id)?.run;
  if (earlier !== undefined) return lineUp(world, earlier);
  const wanted = { id, trigger, path: undefined };
  const inTheWay = (runs: readonly Run[]): string | undefined => {
    const obstacle = findObstacle(runs, wanted);
    if (obstacle === undefined) return undefined;
    if (obstacle.kind === 'same-request') return `ignored: same request as run ${obstacle.run.id}`;
    world.ensure(world.comments, `refusal/${naturalKey(event.repository.id, trigger)}`);
    return 'refused: already-running';
  };
  const active = world.active().filter(({ state }) => ACTIVE_STATES.includes(state));
  yield;
  const notStarted = inTheWay(active);
  if (notStarted !== undefined) return notStarted;
  yield;
  const { source, playbook } = SOURCES[event.issue.number] ?? { source: undefined, playbook: undefined };
  if (source === undefined) throw new Error('no such issue');
  const plan = planRun({
    request: { repository: event.repository, trigger, provider: undefined, model: undefined, instructions: '' },
    part,
    source,
    playbook,
    base: { ref: 'main', sha: 'base' },
    providers: ['scripted'],
    defaultProviders: ['scripted'],
    createdAt: world.time,
  });
  if (plan.kind !== 'run') throw new Error(`the model's playbooks are sound, but this is ${plan.kind}`);
  const run = world.createRun(plan.run, plan.tasks);
  yield;
  if (run.id !== id)
    return isFinal(run.state)
      ? yield* start(world, row, trigger)
      : (inTheWay([run]) ?? `ignored: same work as run ${run.id}`);
  return lineUp(world, run);
}

function lineUp(world: World, run: Run): string {
  if (!isFinal(run.state)) world.enqueue(run.id, undefined);
  return `run ${run.id}`;
}
