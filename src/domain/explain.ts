import { circuitStanding, type Circuit } from './circuit.ts';
import { standing, type Standing } from './conduct.ts';
import { preferenceOf } from './failover.ts';
import { hasOrders } from './order.ts';
import { count, duration, moment } from './report/quantities.ts';
import { isFinal, type Run, type RunTask } from './run.ts';

/*
 * Why something is, or is not, being worked on: each thing that could hold it, passed or not. Decided from what is on record and
 * what was just asked of GitHub; nothing here changes anything.
 */

/** One thing that could hold a run. `passed`: it does not. */
export interface Gate {
  readonly name:
    | 'issue'
    | 'request'
    | 'permission'
    | 'other run'
    | 'people'
    | 'waiting'
    | 'worker'
    | 'provider'
    | 'budget'
    | 'github'
    | 'disk';
  readonly passed: boolean;
  /** A sentence in plain text; `code` may stand in single backticks. */
  readonly says: string;
}

export interface Explanation {
  /** The answer in one sentence. */
  readonly verdict: string;
  readonly gates: readonly Gate[];
}

/** All that is looked at. What could not be found out is left out, and its gate with it. */
export interface Facts {
  readonly now: number;
  /** The issue or pull request it was asked in, as it is now. */
  readonly thread?: { readonly number: number; readonly open: boolean; readonly asksForRun: boolean };
  /** The newest run here; undefined when there has been none. */
  readonly run: Run | undefined;
  readonly tasks: readonly RunTask[];
  /** Whether who asked for the run may still write, and their role. */
  readonly requester?: { readonly mayWrite: boolean; readonly role: string };
  /** Another run at the same work that has not ended. */
  readonly rival?: Pick<Run, 'id'> | undefined;
  /** Who holds the run's lease. */
  readonly lease: { readonly owner: string; readonly until: number } | undefined;
  /** How many runs are due and wait for a worker longer than this one, and how many are being worked on. */
  readonly line: { readonly before: number; readonly atWork: number };
  /** Circuits by name, `provider/…`. */
  readonly circuits: ReadonlyMap<string, Circuit>;
  /** What was spent and may be spent; undefined when nothing was and nothing limits it. */
  readonly spent?: string;
  /** How much may be written to GitHub, from 1 to 0. */
  readonly writeRoom: number;
  /** Of the machine that answers. Bytes. */
  readonly disk?: { readonly left: number; readonly needed: number } | undefined;
}

/** Says why a run is, or is not, being worked on. */
export function explain(facts: Facts): Explanation {
  const { run } = facts;
  const gates = (run === undefined ? gatesOfRequest(facts) : gatesOfRun(facts, run)).concat(gatesOfPlace(facts));
  return { verdict: run === undefined ? verdictWithout(facts) : verdictOn(facts, run, gates), gates };
}

function gatesOfRequest({ thread }: Facts): readonly Gate[] {
  if (thread === undefined) return [];
  return [
    gate('issue', thread.open, thread.open ? 'It is open.' : 'It is closed, and nothing starts in it.'),
    gate(
      'request',
      false,
      thread.asksForRun
        ? 'It has a label that asks for a run, but no run came of it: whoever put it on may not start runs, or was told here why not. Take it off and put it on again.'
        : 'Nobody asked for a run here yet: put the label `maestro` on, or comment `/maestro run`.',
    ),
  ];
}

function verdictWithout({ thread }: Facts): string {
  return thread?.open === false ? 'Nothing runs here: it is closed.' : 'There has been no run here yet.';
}

function gatesOfRun(facts: Facts, run: Run): readonly Gate[] {
  const stands = standing(run, facts.now);
  return [
    ...(facts.thread === undefined || facts.thread.open
      ? []
      : [gate('issue', false, `#${facts.thread.number} is closed.`)]),
    ...permission(facts, run),
    facts.rival === undefined
      ? gate('other run', true, 'No other run is at the same work.')
      : gate('other run', false, `Run \`${facts.rival.id}\` is at the same work.`),
    people(run),
    ...(isFinal(run.state) ? [] : [waiting(run, stands, facts.now), worker(facts, stands)]),
    ...provider(facts, run),
    budget(facts),
  ];
}

function permission({ requester }: Facts, run: Run): readonly Gate[] {
  if (requester === undefined) return [];
  const who = `@${run.requester.login}, who asked for it,`;
  return [
    requester.mayWrite
      ? gate('permission', true, `${who} may write here (role \`${requester.role}\`).`)
      : gate('permission', false, `${who} may not write here any more (role \`${requester.role}\`).`),
  ];
}

/** What people said: a stop, a pause, a question they have not answered. */
function people(run: Run): Gate {
  if (isFinal(run.state))
    return gate(
      'people',
      run.stop === undefined,
      run.stop === undefined ? 'Nobody stopped it.' : `Stopped: ${run.stop.reason}.`,
    );
  if (run.stop !== undefined) return gate('people', false, `It was asked to stop: ${run.stop.reason}.`);
  const { paused } = run.steering ?? {};
  if (paused !== undefined && !hasOrders(run))
    return gate('people', false, `Paused by @${paused.by} since ${moment(paused.at)}. \`/maestro resume\` goes on.`);
  if (run.waitsFor === 'answer' && run.state === 'parked')
    return gate('people', false, 'It waits for the answer to a question that was asked here.');
  return gate(
    'people',
    true,
    hasOrders(run) ? 'What was asked of it is taken in before the next task.' : 'Nobody holds it.',
  );
}

function waiting({ reason, state }: Run, stands: Standing, now: number): Gate {
  if (stands.kind === 'waits')
    return gate(
      'waiting',
      false,
      `It waits until ${moment(stands.at)}, ${duration(stands.at - now)} from now${reason === undefined ? '.' : `: ${reason}`}`,
    );
  if (stands.kind === 'held') return gate('waiting', true, 'It waits for no time to come.');
  return gate('waiting', true, state === 'parked' ? 'Its wait is over.' : 'It need not wait for any time to come.');
}

function worker({ lease, line, now }: Facts, stands: Standing): Gate {
  if (lease !== undefined)
    return gate(
      'worker',
      true,
      `Worker \`${lease.owner}\` has it; were it to die, another would take it over within ${duration(lease.until - now)}.`,
    );
  if (stands.kind !== 'due') return gate('worker', true, 'It is in no line, so it needs no worker.');
  if (line.atWork === 0)
    return gate(
      'worker',
      false,
      `No worker has it, and none is at work at all${line.before === 0 ? '' : ` though ${count(line.before, 'run')} waited before it`}: see whether one is running.`,
    );
  return gate(
    'worker',
    false,
    `No worker has it yet: ${line.before === 0 ? 'it is next' : `${count(line.before, 'run')} came before it`}, and ${line.atWork === 1 ? '1 is' : `${line.atWork} are`} being worked on.`,
  );
}

function provider({ circuits, now }: Facts, run: Run): readonly Gate[] {
  const preferred = preferenceOf(run);
  const stands = preferred.map((name) => {
    const open = [...circuits]
      .filter(([circuit]) => circuit.startsWith(`${name}/`))
      .map(([, circuit]) => circuitStanding(circuit, now))
      .find((one) => one.kind === 'open');
    return { name, open };
  });
  const free = stands.find(({ open }) => open === undefined);
  const shut = stands.flatMap(({ name, open }) =>
    open === undefined ? [] : [`\`${name}\` ${open.reason}, and nothing is asked of it until ${moment(open.at)}`],
  );
  if (free !== undefined)
    return [
      gate(
        'provider',
        true,
        shut.length === 0
          ? `\`${free.name}\` is not known to be in trouble.`
          : `${shut.join('; ')}; \`${free.name}\` takes over.`,
      ),
    ];
  return [gate('provider', false, `${shut.join('; ')}.`)];
}

function budget({ tasks, spent }: Facts): Gate {
  const over = tasks.find(({ outcome }) => outcome?.kind === 'failed' && outcome.failure.kind === 'budget');
  if (over?.outcome?.kind === 'failed')
    return gate('budget', false, `Task ${over.position}: ${over.outcome.failure.message}`);
  return gate(
    'budget',
    true,
    spent === undefined || spent === '' ? 'Nothing is known to be spent.' : `Spent ${spent}.`,
  );
}

/** What is so for every run of this installation. */
function gatesOfPlace({ writeRoom, disk }: Facts): readonly Gate[] {
  const github =
    writeRoom > 0
      ? gate('github', true, 'GitHub takes what we write.')
      : gate('github', false, "GitHub's limit on what an App may write is reached; what must be said comes first.");
  if (disk === undefined) return [github];
  const [left, needed] = [disk.left, disk.needed].map((bytes) => `${Math.floor(bytes / 1024 ** 2)} MB`);
  const says = `${left} are left on the disk of this machine, ${needed} are needed to begin a task.`;
  return [github, gate('disk', disk.left >= disk.needed, says)];
}

function verdictOn({ lease, now }: Facts, run: Run, gates: readonly Gate[]): string {
  const name = `Run \`${run.id}\``;
  if (run.state === 'succeeded') return `${name} is done: there is nothing left to work on.`;
  if (isFinal(run.state)) {
    const how = run.state === 'failed' ? 'could not finish' : 'was stopped';
    return `${name} ${how}${run.reason === undefined ? '.' : `: ${run.reason}`} \`/maestro resume\` goes on where it ended.`;
  }
  const held = gates.find(({ passed }) => !passed);
  const isWorkedOn = lease !== undefined && lease.until > now;
  if (isWorkedOn && (held === undefined || run.state === 'running')) return `${name} is being worked on.`;
  return held === undefined ? `${name} is about to be worked on.` : `${name} is not being worked on. ${held.says}`;
}

function gate(name: Gate['name'], passed: boolean, says: string): Gate {
  return { name, passed, says };
}
