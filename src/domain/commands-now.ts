import { openQuestion, proposedIn } from './asking.ts';
import { objection } from './order.ts';
import { isFinal, type Run, type RunTask } from './run.ts';
import type { Order } from './steering.ts';

/** Something people may ask of a run now. */
export interface CommandNow {
  readonly verb: Order['kind'] | 'stop';
  /** Tasks it may be asked for, by position; undefined for a verb that names none. */
  readonly tasks?: readonly number[];
  /** What follows `/maestro`, with `N` where one of several tasks is to be named and `…` for words: `skip N`, `steer …`. */
  readonly words: string;
}

/** How each order is offered. Whether it can be carried out is `objection`'s to say; here is only whether it would change anything. */
interface Offer {
  readonly example: (task: number, tasks: readonly RunTask[]) => Order;
  readonly named: boolean;
  /** What comes after the verb. */
  readonly words?: string;
  readonly when?: (run: Pick<Run, 'state' | 'steering'>) => boolean;
}

const OFFERS: Readonly<Record<Order['kind'], Offer>> = {
  answer: { example: () => ({ kind: 'answer', question: undefined, words: '…' }), named: false, words: '…' },
  approve: { example: (_, tasks) => ({ kind: 'approve', hash: proposedHash(tasks) }), named: false },
  pause: { example: () => ({ kind: 'pause' }), named: false, when: (run) => run.steering?.paused === undefined },
  resume: {
    example: () => ({ kind: 'resume' }),
    named: false,
    when: ({ state, steering }) => state === 'parked' || isFinal(state) || steering?.paused !== undefined,
  },
  steer: { example: () => ({ kind: 'steer', words: '…' }), named: false, words: '…' },
  retry: { example: (task) => ({ kind: 'retry', task, words: '' }), named: true },
  redo: { example: (task) => ({ kind: 'redo', task, words: '' }), named: true },
  add: { example: () => ({ kind: 'add', text: '…' }), named: false, words: '…' },
  skip: { example: (task) => ({ kind: 'skip', task, reason: '' }), named: true },
  exec: { example: () => ({ kind: 'exec', command: '…', thread: 0 }), named: false, words: '…' },
};

/** What may be asked of a run now: exactly what would be accepted and change something, in the order people look for it. */
export function commandsNow(of: {
  readonly run: Pick<Run, 'plan' | 'settings' | 'state' | 'steering' | 'stop'>;
  readonly tasks: readonly RunTask[];
}): readonly CommandNow[] {
  const { run, tasks } = of;
  const goesOn = !isFinal(run.state);
  // It ends, and what was asked for meanwhile is not carried out.
  if (goesOn && run.stop !== undefined) return [];
  const orders = Object.entries(OFFERS).flatMap(([verb, offer]): readonly CommandNow[] => {
    const kind = verb as Order['kind'];
    if (offer.when?.(run) === false) return [];
    if (!offer.named) {
      const order = offer.example(0, tasks);
      if (objection(order, of) !== undefined) return [];
      const words = order.kind === 'approve' ? order.hash : offer.words;
      return [{ verb: kind, words: words === undefined ? kind : `${kind} ${words}` }];
    }
    const possible = tasks
      .filter((task) => objection(offer.example(task.position, tasks), { run, tasks: [task] }) === undefined)
      .map(({ position }) => position);
    if (possible.length === 0) return [];
    return [{ verb: kind, tasks: possible, words: `${kind} ${possible.length === 1 ? possible[0] : 'N'}` }];
  });
  return goesOn ? [...orders, { verb: 'stop', words: 'stop' }] : orders;
}

/** The hash of the proposal that is open, if one is. */
function proposedHash(tasks: readonly RunTask[]): string {
  return proposedIn(openQuestion(tasks)?.question) ?? '';
}
