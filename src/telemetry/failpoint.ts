import { setTimeout as pause } from 'node:timers/promises';

/**
 * Things done outside the store that must happen once. Each is wrapped in `around` exactly once in the source, or in one call per
 * adapter; a test holds this list against the source, so that an effect without failpoints fails it.
 */
export const EFFECTS = [
  'inbox',
  'plan',
  'enqueue',
  'claim',
  'fetch',
  'lane',
  'container',
  'session',
  'capture',
  'commit',
  'push',
  'pull-request',
  'comment',
  'check',
  'settle',
  'end',
  'clean',
] as const;

export type EffectName = (typeof EFFECTS)[number];

/** Where an effect can be cut: the four moments between which something becomes true somewhere. */
export const MOMENTS = ['before-intent', 'after-intent', 'after-effect', 'after-record'] as const;

export type Moment = (typeof MOMENTS)[number];

/** `push.after-effect` and the like. */
export type Failpoint = `${EffectName}.${Moment}`;

/** What happens at a failpoint that is set, the `hit`th time the process comes by (1-based). */
interface Action {
  readonly point: Failpoint;
  readonly what: 'kill' | 'pause' | 'throw';
  /** Length of a pause. Milliseconds. */
  readonly ms: number;
  readonly hit: number;
}

/**
 * A place where tests cut the process off. Does nothing unless MAESTRO_FAILPOINTS is set, to a list of
 * `POINT=kill[@HIT]`, `POINT=throw[@HIT]` or `POINT=pause:MS[@HIT]`, separated by commas.
 */
export async function failpoint(point: Failpoint): Promise<void> {
  if (ACTIONS.length === 0) return;
  const hits = (HITS.get(point) ?? 0) + 1;
  HITS.set(point, hits);
  for (const action of ACTIONS) {
    if (action.point !== point || action.hit !== hits) continue;
    if (action.what === 'kill') process.kill(process.pid, 'SIGKILL');
    if (action.what === 'throw') throw new Error(`failpoint ${point}`);
    await pause(action.ms);
  }
}

/** Does an effect with its four failpoints: its intent recorded before, what it gave recorded after. */
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
  const result = await steps.perform();
  await failpoint(`${effect}.after-effect`);
  await steps.record?.(result);
  await failpoint(`${effect}.after-record`);
  return result;
}

const HITS = new Map<Failpoint, number>();
const ACTIONS: readonly Action[] = (process.env['MAESTRO_FAILPOINTS'] ?? '')
  .split(',')
  .filter((word) => word !== '')
  .map(parseAction);

function parseAction(word: string): Action {
  const match = /^([a-z-]+\.[a-z-]+)=(kill|throw|pause)(?::(\d+))?(?:@(\d+))?$/.exec(word);
  const [effect, moment] = (match?.[1] ?? '').split('.');
  if (match === null || !EFFECTS.some((one) => one === effect) || !MOMENTS.some((one) => one === moment))
    throw new Error(`MAESTRO_FAILPOINTS: "${word}" is no failpoint with an action`);
  return {
    point: match[1] as Failpoint,
    what: match[2] as Action['what'],
    ms: Number(match[3] ?? 0),
    hit: Number(match[4] ?? 1),
  };
}
