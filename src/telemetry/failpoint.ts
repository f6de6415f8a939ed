import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { passFence, workedOn } from './fence.ts';

/**
 * Everything done outside the memory of this process that a crash may cut in two. Each is wrapped in `around` where it is done;
 * a test holds this list against the source, and the source against this list, so that an effect without failpoints fails it.
 */
export const EFFECTS = [
  'inbox',
  'sweep',
  'redeliver',
  'look',
  'found',
  'rebuild',
  'plan',
  'enqueue',
  'claim',
  'token',
  'fetch',
  'lane',
  'container',
  'session',
  'spend',
  'shelve',
  'capture',
  'commit',
  'push',
  'keep',
  'rewind',
  'exec',
  'pull-request',
  'open',
  'describe',
  'ready',
  'draft',
  'comment',
  'check',
  'label',
  'reaction',
  'tick',
  'settle',
  'end',
  'clean',
  'discard',
] as const;

export type EffectName = (typeof EFFECTS)[number];

/** What a worker that has lost its lease may still do: what it needs to look around, to clean up after itself, and to own up to what it spent. */
const UNFENCED: readonly EffectName[] = ['token', 'clean', 'spend'];

/** Where an effect can be cut: the four moments between which something becomes true somewhere. */
export const MOMENTS = ['before-intent', 'after-intent', 'after-effect', 'after-record'] as const;

export type Moment = (typeof MOMENTS)[number];

/** `push.after-effect` and the like. */
export type Failpoint = `${EffectName}.${Moment}`;

/** What happens at a failpoint that is set, the `hit`th time the process comes by (1-based). */
interface Action {
  readonly point: Failpoint;
  /** `stop` is SIGSTOP: the process sleeps until somebody wakes it. */
  readonly what: 'kill' | 'stop' | 'pause' | 'throw';
  /** Length of a pause. Milliseconds. */
  readonly ms: number;
  readonly hit: number;
  /** The run whose passing counts; undefined: anybody's. */
  readonly run: string | undefined;
}

/**
 * A place where tests cut the process off. Does nothing unless MAESTRO_FAILPOINTS is set, to a list of `POINT=kill[@HIT][/RUN]`,
 * `POINT=stop[@HIT][/RUN]`, `POINT=throw[@HIT][/RUN]` or `POINT=pause:MS[@HIT][/RUN]`, separated by commas (with a run's id, only in work on it),
 * or MAESTRO_FAILPOINT_LOG, to a file that gets a line `TIME PID POINT` for each that is passed.
 */
export async function failpoint(point: Failpoint): Promise<void> {
  for (const watcher of WATCHERS) await watcher(point, workedOn());
  if (LOG !== undefined) appendFileSync(LOG, `${Date.now()} ${process.pid} ${point}\n`);
  if (ACTIONS.length === 0) return;
  for (const action of ACTIONS) {
    if (action.point !== point || (action.run !== undefined && action.run !== workedOn())) continue;
    const hits = (HITS.get(action) ?? 0) + 1;
    HITS.set(action, hits);
    if (action.hit !== hits) continue;
    if (action.what === 'kill') process.kill(process.pid, 'SIGKILL');
    if (action.what === 'stop') process.kill(process.pid, 'SIGSTOP');
    if (action.what === 'throw') throw new Error(`failpoint ${point}`);
    await pause(action.ms);
  }
}

/** Told of every failpoint that is passed, and of the run the work is for if it is for one; what passes waits for what it gives. */
export type FailpointWatcher = (point: Failpoint, run: string | undefined) => Promise<void> | undefined;

/** Has a test that is in the same process see what is passed, and hold it there while it changes the world. */
export function watchFailpoints(watcher: FailpointWatcher): Disposable {
  WATCHERS.add(watcher);
  return { [Symbol.dispose]: () => void WATCHERS.delete(watcher) };
}

/**
 * Does an effect with its four failpoints: its intent recorded before, what it gave recorded after. Rejects without doing it when
 * the work it belongs to has lost its lease (see `fence.ts`).
 */
export async function around<T>(
  effect: EffectName,
  steps: {
    readonly intent?: () => Promise<unknown>;
    readonly perform: () => Promise<T>;
    readonly record?: (result: T) => Promise<unknown>;
  },
): Promise<T> {
  await failpoint(`${effect}.before-intent`);
  await steps.intent?.();
  await failpoint(`${effect}.after-intent`);
  if (!UNFENCED.includes(effect)) passFence();
  const result = await steps.perform();
  await failpoint(`${effect}.after-effect`);
  await steps.record?.(result);
  await failpoint(`${effect}.after-record`);
  return result;
}

const LOG = process.env['MAESTRO_FAILPOINT_LOG'];
const WATCHERS = new Set<FailpointWatcher>();
const HITS = new Map<Action, number>();
const ACTIONS: readonly Action[] = (process.env['MAESTRO_FAILPOINTS'] ?? '')
  .split(',')
  .filter((word) => word !== '')
  .map(parseAction);

function parseAction(word: string): Action {
  const match = /^([a-z-]+\.[a-z-]+)=(kill|stop|throw|pause)(?::(\d+))?(?:@(\d+))?(?:\/([a-z0-9-]+))?$/.exec(word);
  const [effect, moment] = (match?.[1] ?? '').split('.');
  if (match === null || !EFFECTS.some((one) => one === effect) || !MOMENTS.some((one) => one === moment))
    throw new Error(`MAESTRO_FAILPOINTS: "${word}" is no failpoint with an action`);
  return {
    point: match[1] as Failpoint,
    what: match[2] as Action['what'],
    ms: Number(match[3] ?? 0),
    hit: Number(match[4] ?? 1),
    run: match[5],
  };
}
