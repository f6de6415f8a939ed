import path from 'node:path';
import type { Writable } from 'node:stream';
import {
  executionOf,
  isExec,
  lastLines,
  nextExecution,
  seenTo,
  type Execution,
  type GivenExec,
} from '../domain/exec.ts';
import { digest } from '../domain/ids.ts';
import { renderExecution } from '../domain/report/execution.ts';
import type { Forge } from '../forge/forge.ts';
import { InfrastructureError } from '../runners/runner.ts';
import { endingOf, EndedEarly } from './ending.ts';
import { interruptionOf } from './interruption.ts';
import { cachesOf, runOnLane } from './jobs.ts';
import { ended, lineSink, tailSink } from './lines.ts';
import type { RunScope } from './record.ts';
import { SessionLog } from './session-log.ts';
import { bringLane } from './stages/prepare.ts';
import { SetupFailedError } from './stages/setup.ts';

/** Bytes of what a command printed that are looked at for secrets: enough that one cut in two at their edge is never shown. */
const PRINTED = 64 * 1024;

/** Characters that are looked at for secrets together: doing so costs little more than for one line. */
const BATCH = 64 * 1024;

/** What telling people of a command takes. */
type Telling = Pick<RunScope, 'deps' | 'held' | 'log' | 'saving'>;

/**
 * Runs a command that somebody asked for on the work so far, and says what came of it; then the order is taken in. Whatever is on
 * record of it already is not done again: a command is run once at most.
 */
export async function execute(given: GivenExec, scope: RunScope): Promise<void> {
  const { held, deps } = scope;
  const known = await deps.store.findEffect(held.run.id, keyOf(given));
  const next = nextExecution(known, { ends: held.run.stop !== undefined });
  const came = next === 'run' ? await run(given, scope) : next;
  await tell(given, came, scope);
  await held.changeRun({ steering: seenTo(held.run, given) });
}

/** Says of each command that was asked for and not run yet that it will not be: its run ends. Changes nothing of the run's record. */
export async function tellTooLate(telling: Telling): Promise<void> {
  const { held, deps } = telling;
  for (const given of await deps.store.ordersOf(held.run.id, held.run.steering?.taken ?? 0)) {
    if (!isExec(given)) continue;
    const next = nextExecution(await deps.store.findEffect(held.run.id, keyOf(given)), { ends: true });
    if (next !== 'run') await tell(given, next, telling);
  }
}

function keyOf({ number }: GivenExec): string {
  return `exec/${number}`;
}

/** Runs a command where the checks of a playbook run, on a working copy that is as the branch is. */
async function run(given: GivenExec, scope: RunScope): Promise<Execution> {
  const { deps, held, lane } = scope;
  const { order, by } = given;
  const { tip: commit } = held.run;
  const id = `${held.run.id}-exec-${given.number}`;
  const log = path.join('logs', held.run.id, `${id}.jsonl`);
  await using sessionLog = await SessionLog.open(path.join(deps.settings.home, log), {
    maxBytes: deps.settings.session.logBytes,
    now: () => deps.clock.now(),
    onBroken: (error) => scope.log.warn({ err: error, exec: id }, "a command's log can't be written"),
  });
  const detail = deps.forge.redact(`by ${by} at ${commit}\n${order.command}`);
  await sessionLog.write({ type: 'stage', name: 'exec', detail });
  const heard = listen(sessionLog, deps.forge);
  const inside = deps.runner.inside(lane);
  const argv = ['sh', '-c', 'cd "$1" && exec sh -c "$2" 2>&1', 'maestro-exec', inside.repo, order.command];
  const key = keyOf(given);
  try {
    await bringLane({ session: { id }, sessionLog }, scope, async () => ({ commit }));
    await sessionLog.flush();
    return await held.effect({ key, name: 'exec', intent: { command: order.command, commit } }, async () => {
      const env = cachesOf(inside);
      const result = await runOnLane(scope, { purpose: 'command', session: id, argv, env, stdout: heard.sink });
      await heard.end();
      const ending = endingOf(scope.signal);
      if (ending !== undefined && ending !== 'stop') throw new EndedEarly(ending);
      return executionOf(result, { printed: heard.text(), commit, log });
    });
  } catch (error) {
    return broken(error, scope);
  }
}

/** Takes in what a command prints: all of it for its log, the last of it for people, and neither with a secret we know. */
function listen(
  log: SessionLog,
  { redact }: Pick<Forge, 'redact'>,
): { readonly sink: Writable; end(): Promise<void>; text(): string } {
  const last = tailSink(PRINTED);
  let batch = '';
  const flush = (): Promise<void> | undefined => {
    last.sink.write(batch);
    const lines = redact(batch).split('\n').slice(0, -1);
    batch = '';
    return lines.reduce<Promise<void> | undefined>(
      (waiting, line) => log.write({ type: 'output', line }) ?? waiting,
      undefined,
    );
  };
  const sink = lineSink((line) => {
    batch += `${line}\n`;
    return batch.length < BATCH ? undefined : flush();
  });
  return {
    sink,
    end: async () => {
      await ended(sink);
      await flush();
    },
    text: () => redact(last.text()),
  };
}

/** What is said of a command that could not be run. What does not concern it alone is thrown on. */
function broken(error: unknown, { deps, log, signal }: RunScope): Execution {
  if (error instanceof EndedEarly && endingOf(signal) === 'stop') return { kind: 'too-late' };
  if (error instanceof SetupFailedError) {
    const { message, detail = '' } = error.failure;
    return { kind: 'broke', why: message, output: lastLines(deps.forge.redact(detail)) };
  }
  if (!(error instanceof InfrastructureError)) throw error;
  log.warn({ err: error }, 'a command could not be run');
  return { kind: 'broke', why: `Our side broke: ${error.message.split('\n')[0] ?? ''}.`, output: '' };
}

/** Puts on record and tells what came of a command. That its thread takes no comment any more holds nothing up. */
async function tell(given: GivenExec, came: Execution, { deps, held, log, saving }: Telling): Promise<void> {
  const { run } = held;
  const { order, by, number } = given;
  const { output: _, ...facts } = { output: '', ...came };
  const detail = { command: order.command, by, ...facts };
  await held.auditOnce(keyOf(given), deps.clock.now(), `command ${came.kind}`, detail);
  held.assertOurs();
  try {
    const body = renderExecution(run, given, came);
    // By the comment that asks: a run that was rebuilt numbers its orders anew.
    await deps.forge.ensureComment(run.repository, order.thread, `exec/${run.id}/${digest(given.key, 15)}`, body);
  } catch (error) {
    if (interruptionOf(error, saving).kind !== 'refused') throw error;
    log.warn({ err: error, order: number }, 'GitHub does not take what came of a command; it is on record only');
  }
}
