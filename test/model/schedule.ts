import * as fc from 'fast-check';
import { openQuestion, proposalHash } from '../../src/domain/asking.ts';
import { placeInLine, standing } from '../../src/domain/conduct.ts';
import { hasOrders } from '../../src/domain/order.ts';
import { isFinal } from '../../src/domain/run.ts';
import { seating, type Seating } from '../../src/domain/setback.ts';
import type { Order } from '../../src/domain/steering.ts';
import type { IssueLabelEvent } from '../../src/domain/webhook.ts';
import { handle, receive, type Process } from './app.ts';
import { brokenPromises } from './promises.ts';
import { live, PROPOSAL, Worker, type Shared } from './worker.ts';
import { LEASE_MS, World, type Bugs, type Fault } from './world.ts';

/** One thing that happens. Numbers choose among what there is at that moment, so that every command can be carried out. */
export type Command =
  | { readonly do: 'label' | 'unlabel' | 'scan'; readonly issue: number }
  | { readonly do: 'poison'; readonly issue: number; readonly what: 'work' | 'tell' }
  | { readonly do: 'stop'; readonly pick: number }
  | { readonly do: 'order'; readonly pick: number; readonly order: Order }
  | { readonly do: 'deliver' | 'handle'; readonly app: number; readonly pick: number }
  | { readonly do: 'app'; readonly app: number; readonly moments: number }
  | { readonly do: 'kill app'; readonly app: number }
  | { readonly do: 'work'; readonly worker: number; readonly moments: number; readonly pick: number }
  | { readonly do: 'kill' | 'pause' | 'wake'; readonly worker: number }
  | { readonly do: 'jump'; readonly worker: number; readonly ms: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'fault'; readonly where: 'forge' | 'store'; readonly fault: Fault }
  | { readonly do: 'reconcile' | 'flush' | 'hand out again' };

const issue = fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.constant(2) });
const app = fc.nat(1);
const worker = fc.nat(2);
const pick = fc.nat(16);
const kind = <T extends Command['do']>(name: T): fc.Arbitrary<T> => fc.constant(name);

const task = fc.integer({ min: 1, max: 3 });
const order: fc.Arbitrary<Order> = fc.oneof(
  fc.constantFrom<Order>({ kind: 'pause' }, { kind: 'resume' }, { kind: 'steer', words: 'Mind the gap.' }),
  fc.constantFrom<Order>({ kind: 'add', text: 'One more thing.' }, { kind: 'resume', budget: { tokens: 6 } }),
  fc.record({ kind: fc.constantFrom('retry' as const, 'redo' as const), task, words: fc.constant('') }),
  fc.record({ kind: fc.constant('skip' as const), task, reason: fc.constant('') }),
  fc.constantFrom<Order>(
    { kind: 'answer', question: undefined, words: 'that' },
    { kind: 'answer', question: 'q1', words: '1' },
    { kind: 'approve', hash: proposalHash(PROPOSAL) },
  ),
  fc.constant<Order>({ kind: 'exec', command: 'npm test', thread: 1 }),
);

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: kind('label'), issue }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('unlabel' as const, 'scan' as const), issue }) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ do: kind('stop'), pick }),
      fc.record({ do: kind('poison'), issue, what: fc.constantFrom('work' as const, 'tell' as const) }),
    ),
  },
  { weight: 3, arbitrary: fc.record({ do: kind('order'), pick, order }) },
  { weight: 4, arbitrary: fc.record({ do: kind('deliver'), app, pick }) },
  { weight: 4, arbitrary: fc.record({ do: kind('handle'), app, pick }) },
  { weight: 5, arbitrary: fc.record({ do: kind('app'), app, moments: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ do: kind('kill app'), app }) },
  { weight: 18, arbitrary: fc.record({ do: kind('work'), worker, moments: fc.integer({ min: 1, max: 30 }), pick }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('kill' as const, 'pause' as const, 'wake' as const), worker }),
  },
  { weight: 1, arbitrary: fc.record({ do: kind('jump'), worker, ms: fc.constantFrom(-600_000, -1_000, 0, 40_000) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: kind('pass'), ms: fc.constantFrom(1_000, 12_000, 31_000, 31_000, 70_000, 600_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: kind('fault'),
      where: fc.constantFrom('forge' as const, 'store' as const),
      fault: fc.constantFrom<Fault>('before', 'after', 'broken'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('reconcile' as const, 'flush' as const, 'hand out again' as const) }),
  },
);

/** How a schedule may begin, so that few steps are spent on an empty world. */
const BEGINNINGS: readonly (readonly Command[])[] = [
  // A run is under way.
  [
    { do: 'label', issue: 0 },
    { do: 'deliver', app: 0, pick: 0 },
    { do: 'app', app: 0, moments: 3 },
    { do: 'handle', app: 0, pick: 0 },
    { do: 'app', app: 0, moments: 9 },
  ],
  // Two requests for the same work are saved, and both processes of the app are at it.
  [
    { do: 'label', issue: 1 },
    { do: 'unlabel', issue: 1 },
    { do: 'label', issue: 1 },
    { do: 'deliver', app: 0, pick: 0 },
    { do: 'app', app: 0, moments: 3 },
    { do: 'deliver', app: 0, pick: 2 },
    { do: 'app', app: 0, moments: 3 },
    { do: 'handle', app: 0, pick: 0 },
    { do: 'handle', app: 1, pick: 1 },
  ],
  // Two runs are under way in one process, and the work of one has ended it twice.
  [
    { do: 'poison', issue: 0, what: 'work' },
    { do: 'label', issue: 0 },
    { do: 'deliver', app: 0, pick: 0 },
    { do: 'app', app: 0, moments: 3 },
    { do: 'handle', app: 0, pick: 0 },
    { do: 'app', app: 0, moments: 9 },
    { do: 'label', issue: 1 },
    { do: 'deliver', app: 0, pick: 1 },
    { do: 'app', app: 0, moments: 3 },
    { do: 'handle', app: 0, pick: 0 },
    { do: 'app', app: 0, moments: 9 },
    ...[1, 2].flatMap((): readonly Command[] => [
      { do: 'work', worker: 0, moments: 8, pick: 0 },
      { do: 'work', worker: 1, moments: 8, pick: 0 },
      { do: 'work', worker: 0, moments: 60, pick: 0 },
      { do: 'pass', ms: 31_000 },
      { do: 'hand out again' },
    ]),
  ],
  [],
];

export const schedule: fc.Arbitrary<readonly Command[]> = fc
  .tuple(
    fc.oneof(...[4, 2, 1, 1].map((weight, index) => ({ weight, arbitrary: fc.constant(BEGINNINGS[index] ?? []) }))),
    fc.array(command, { minLength: 30, maxLength: 60, size: 'max' }),
  )
  .map((parts) => parts.flat());

/** Carries out a schedule, lets everything go quiet, and gives the promises that are broken then. */
export function play(commands: readonly Command[], bugs: Bugs = {}, trace?: string[]): readonly string[] {
  const play = new Play(new World(bugs, trace));
  for (const command of commands) {
    trace?.push(JSON.stringify(command));
    play.carryOut(command);
  }
  trace?.push('quiet');
  play.quiet();
  return brokenPromises(play.world);
}

class Play {
  readonly world: World;
  private readonly apps: (Process | undefined)[] = [undefined, undefined];
  private readonly workers: readonly Worker[];

  constructor(world: World) {
    this.world = world;
    // Two machines: at the process on one there is place for two runs.
    const [here, there] = [1, 2].map((): Shared => ({
      mirror: new Set(),
      turn: undefined,
      places: [],
      doomed: false,
    })) as [Shared, Shared];
    this.workers = [new Worker('w0', here), new Worker('w1', here), new Worker('w2', there)];
  }

  carryOut(command: Command): void {
    const { world } = this;
    switch (command.do) {
      case 'label':
      case 'unlabel':
      case 'scan':
        return this.touchIssue(command.issue, command.do);
      case 'poison':
        return void world.poison.set(command.issue + 1, command.what);
      case 'stop': {
        const run = choose(world.active(), command.pick);
        if (run === undefined) return undefined;
        world.requestStop(run.id, world.time);
        return world.enqueue(run.id, undefined);
      }
      case 'order': {
        const run = choose([...world.rows.values()], command.pick)?.run;
        if (run !== undefined && world.giveOrder(run.id, command.order, world.time)) world.enqueue(run.id, undefined);
        return undefined;
      }
      case 'deliver':
        return this.begin(command.app, choose(world.sent, command.pick), (delivery) => receive(world, delivery));
      case 'handle': {
        const rows = [...world.inbox.values()].filter(({ note }) => note === undefined);
        return this.begin(command.app, choose(rows, command.pick), (row) => handle(world, row));
      }
      case 'app':
        return this.goOn(command.app, command.moments);
      case 'kill app':
        this.apps[command.app] = undefined;
        return undefined;
      case 'work':
        return this.work(command.worker, command.moments, command.pick);
      case 'kill':
        return this.withWorker(command.worker, (worker) => this.kill(worker.process));
      case 'pause':
      case 'wake':
        return this.withWorker(command.worker, (worker) => void (worker.paused = command.do === 'pause'));
      case 'jump':
        return this.withWorker(command.worker, (worker) => void (worker.skewMs = command.ms));
      case 'pass':
        return this.pass(command.ms);
      case 'fault':
        (command.where === 'forge' ? world.forgeFaults : world.storeFaults).push(command.fault);
        return undefined;
      case 'reconcile':
        return this.reconcile();
      case 'flush':
        world.queue.clear();
        return undefined;
      case 'hand out again':
        for (const job of world.queue.values()) job.holder = undefined;
        return undefined;
    }
  }

  /** Faults end, everybody is awake, what was not acknowledged is sent again; then all goes on until nothing more happens. */
  quiet(): void {
    const { world } = this;
    world.forgeFaults.length = 0;
    world.storeFaults.length = 0;
    for (const worker of this.workers) {
      worker.paused = false;
      worker.skewMs = 0;
    }
    this.pass(1_000);
    for (let round = 0; round < 300; round += 1) {
      this.finishApps();
      for (const job of world.queue.values())
        if (!this.workers.some(({ name, life }) => name === job.holder && life !== undefined)) job.holder = undefined;
      for (const { run, tasks } of world.rows.values()) {
        const isHeld = standing(run, world.time).kind === 'held';
        if (isHeld && run.steering?.paused !== undefined) world.giveOrder(run.id, { kind: 'resume' }, world.time);
        const asked = run.state === 'parked' ? openQuestion(tasks) : undefined;
        if (asked === undefined || hasOrders(run)) continue;
        // What fails however often it is tried is left out in the end.
        const isGivenUp = asked.question.kind === 'failure' && (asked.task.questions ?? []).length > 2;
        const order: Order = isGivenUp
          ? { kind: 'skip', task: asked.task.position, reason: '' }
          : { kind: 'answer', question: undefined, words: 'that' };
        world.giveOrder(run.id, order, world.time);
      }
      this.reconcile();
      for (const index of this.workers.keys()) this.work(index, 10_000, 0);
      const isQuiet =
        [...world.rows.values()].every(({ run }) => isFinal(run.state)) &&
        this.workers.every(({ life }) => life === undefined);
      if (isQuiet) return;
      this.pass(LEASE_MS);
      this.skipWait();
    }
  }

  /** Where all that is left waits for another day, it comes. */
  private skipWait(): void {
    const { world } = this;
    if (this.workers.some(({ life }) => life !== undefined)) return;
    const waits = world.active().map((run) => standing(run, world.time));
    const until = Math.min(...waits.map((stands) => (stands.kind === 'waits' ? stands.at : 0)));
    if (waits.length > 0 && until > world.time) world.time = until;
  }

  private finishApps(): void {
    const { world } = this;
    for (const index of this.apps.keys()) this.goOn(index, 1_000);
    const unacknowledged = world.sent.filter(({ guid }) => !world.acknowledged.has(guid));
    for (const delivery of unacknowledged) this.begin(0, delivery, (one) => receive(world, one), 1_000);
    const rows = [...world.inbox.values()].filter(({ note }) => note === undefined);
    for (const row of rows) this.begin(0, row, (one) => handle(world, one), 1_000);
  }

  private touchIssue(index: number, what: 'label' | 'unlabel' | 'scan'): void {
    const { world } = this;
    const issue = world.issues[index];
    if (issue === undefined || (what === 'label') === issue.labelled) return;
    world.time += 1;
    if (what === 'scan') {
      // A look at the issue itself finds the same request, under a name of its own.
      const last = world.sent.findLast(({ event }) => event.issue.number === issue.number && event.kind === 'labeled');
      if (last !== undefined) world.sent.push({ guid: `scan${world.sent.length}`, event: last.event });
      return;
    }
    issue.labelled = what === 'label';
    if (!issue.labelled) issue.off.push(world.time);
    world.sent.push({ guid: `d${world.sent.length}`, event: labelEvent(issue.number, issue.labelled, world.time) });
  }

  private begin<T>(index: number, on: T | undefined, start: (on: T) => Process, moments = 0): void {
    if (on === undefined || this.apps[index] !== undefined) return;
    this.apps[index] = start(on);
    this.goOn(index, moments);
  }

  private goOn(index: number, moments: number): void {
    try {
      for (let moment = 0; moment < moments; moment += 1) {
        if (this.apps[index]?.next().done !== false) break;
        if (moment === moments - 1) return;
      }
      if (moments > 0) this.apps[index] = undefined;
    } catch (error) {
      // The delivery stays where it is, and is taken up again.
      this.world.trace?.push(`    app ${index}: ${String(error)}`);
      this.apps[index] = undefined;
    }
  }

  private work(index: number, moments: number, pick: number): void {
    const { world } = this;
    const worker = this.workers[index];
    if (worker === undefined || worker.paused) return;
    worker.fate = pick;
    if (worker.life === undefined && !this.takeJob(worker, pick)) return;
    for (let moment = 0; moment < moments; moment += 1) {
      const step = worker.life?.next();
      if (step === undefined) return;
      this.noteOvertaken();
      const { done, value } = step;
      if (worker.process.doomed) return this.kill(worker.process);
      if (done !== true) continue;
      if (worker.isLost || worker.leftNoWord) this.noteCut(worker.process);
      world.trace?.push(`    ${worker.name}: ${JSON.stringify(value)}`);
      this.settleJob(worker, value);
      worker.life = undefined;
      return;
    }
  }

  /** Gives a place at a process a run that is due, as `src/workers/handle.ts` does. False when there is none for it. */
  private takeJob(worker: Worker, pick: number): boolean {
    const { world } = this;
    const { process } = worker;
    const beside = this.atHand(process);
    if (process.turn !== undefined && beside.length > 0) return false;
    const due = [...world.queue].filter(([, job]) => job.holder === undefined && job.due <= world.time);
    const [id, job] = due.find(([one]) => one === process.turn) ?? choose(due, pick) ?? [undefined, undefined];
    process.turn = undefined;
    if (id === undefined) return false;
    const { run } = world.row(id);
    const isClosed = beside.some((other) => other.isAloneAtHand(world));
    const decided: Seating =
      world.bugs.suspectsBeside === true || isFinal(run.state)
        ? { kind: 'beside' }
        : seating(run, { others: beside.length, besideSuspect: isClosed, now: worker.now(world) });
    if (decided.kind !== 'wait' && isClosed) return false;
    if (decided.kind === 'wait' && decided.isOver) process.turn = id;
    if (decided.kind === 'wait' && decided.say === undefined) return false;
    worker.onlySays = decided.kind === 'wait';
    job.holder = worker.name;
    worker.run = id;
    worker.isAlone = decided.kind === 'alone';
    worker.life = live(world, worker, id, decided.kind === 'wait');
    return true;
  }

  private atHand(process: Shared): readonly Worker[] {
    return this.workers.filter((worker) => worker.process === process && worker.life !== undefined);
  }

  /** Notes whose run another has by now. */
  private noteOvertaken(): void {
    for (const { life, lease, process } of this.workers)
      if (life !== undefined && lease !== undefined && this.world.row(lease.runId).epoch !== lease.epoch)
        this.noteCut(process);
  }

  /** Notes what was cut off with nothing beside it. */
  private noteCut(process: Shared): void {
    const [only, ...others] = this.atHand(process).filter(({ onlySays }) => !onlySays);
    if (only?.run !== undefined && others.length === 0) this.world.cutAlone.add(only.run);
  }

  /** A killed process does nothing more, not even let go of what it held. */
  private kill(process: Shared): void {
    this.noteCut(process);
    process.doomed = false;
    process.turn = undefined;
    for (const worker of this.workers.filter((one) => one.process === process)) {
      worker.life = undefined;
      worker.lease = undefined;
      worker.paused = false;
    }
  }

  /** What the queue does at a worker's word; nothing where the job is another's by now. */
  private settleJob(
    worker: Worker,
    word: { readonly kind: 'done' } | { readonly kind: 'again'; readonly delayMs: number },
  ): void {
    const { queue, time } = this.world;
    const job = worker.run === undefined ? undefined : queue.get(worker.run);
    if (worker.run === undefined || job?.holder !== worker.name) return;
    if (word.kind === 'done') queue.delete(worker.run);
    else queue.set(worker.run, { due: time + word.delayMs, holder: undefined });
  }

  private withWorker(index: number, change: (worker: Worker) => void): void {
    const worker = this.workers[index];
    if (worker !== undefined) change(worker);
  }

  private pass(ms: number): void {
    const until = this.world.time + ms;
    while (this.world.time < until) {
      this.world.time = Math.min(until, this.world.time + LEASE_MS / 6);
      for (const worker of this.workers) worker.tick(this.world);
    }
  }

  private reconcile(): void {
    if (this.world.bugs.noReconciler === true) return;
    for (const { run } of this.world.rows.values()) {
      const place = placeInLine(run, this.world.time);
      if (place !== undefined)
        this.world.enqueue(run.id, place.delayMs === undefined ? undefined : this.world.time + place.delayMs);
    }
  }
}

function choose<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(1, list.length)];
}

function labelEvent(number: number, isLabelled: boolean, at: number): IssueLabelEvent {
  const sender = { id: 7, login: 'ada', bot: false };
  return {
    kind: isLabelled ? 'labeled' : 'unlabeled',
    repository: { id: 42, owner: 'acme', name: 'shop', installationId: 3, defaultBranch: 'main' },
    sender,
    at,
    issue: {
      number,
      title: `Issue ${number}`,
      body: '',
      open: true,
      isPullRequest: false,
      labels: isLabelled ? ['maestro'] : [],
    },
    label: 'maestro',
  };
}
