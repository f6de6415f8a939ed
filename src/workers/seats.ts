import type { Run } from '../domain/run.ts';
import { isSuspect, seating, type Seating } from '../domain/setback.ts';

/** A run's place at a worker, from before its lease until after. */
export interface Seat {
  /** Looks at the run again: one that got further needs the worker for itself no more. */
  review(run: Run): void;
  leave(): void;
}

/** What a worker says to a run that comes to it. */
export type Entry =
  | { readonly kind: 'seat'; readonly seat: Seat }
  /** Somebody has the worker for himself, or is about to. */
  | { readonly kind: 'closed' }
  | Extract<Seating, { readonly kind: 'wait' }>;

/**
 * Who is at a worker: any number of runs side by side, or one alone. Nothing here waits or asks, so that between looking and
 * sitting down nobody comes in.
 */
export class Seats {
  #seated = 0;
  #isAlone = false;
  #turn: ((seat: Seat) => void) | undefined;
  #changed = Promise.withResolvers<void>();
  readonly #next: (take: () => Seat) => void;

  /** `next` is told when the worker has nothing at hand; `take` gives whoever comes next the worker for himself. */
  constructor(next: (take: () => Seat) => void) {
    this.#next = next;
  }

  /** Whether somebody has the worker for himself. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** Lets a run in as {@link seating} decides. */
  enter(run: Run, now: number): Entry {
    const isClosed = this.#isAlone || this.#turn !== undefined;
    const others = isClosed ? Math.max(1, this.#seated) : this.#seated;
    const decided = seating(run, { others, besideSuspect: this.#isAlone, now });
    if (decided.kind === 'wait') return decided;
    if (isClosed) return { kind: 'closed' };
    return { kind: 'seat', seat: this.#sit(decided.kind === 'alone') };
  }

  /** Resolves when somebody left, or needs the worker for himself no more. */
  async changed(): Promise<void> {
    await this.#changed.promise;
  }

  /**
   * Lets nobody in any more until the worker has nothing at hand, and gives it to the caller for himself. Undefined when somebody
   * else is waiting for that, or `signal` is aborted meanwhile.
   */
  async turn(signal: AbortSignal): Promise<Seat | undefined> {
    if (this.#turn !== undefined || signal.aborted) return undefined;
    const { promise, resolve } = Promise.withResolvers<Seat | undefined>();
    this.#turn = resolve;
    const giveUp = (): void => {
      if (this.#turn === resolve) this.#turn = undefined;
      resolve(undefined);
      this.#tell();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    this.#settle();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #sit(isAlone: boolean): Seat {
    this.#seated += 1;
    this.#isAlone = isAlone;
    let here = true;
    let alone = isAlone;
    const open = (): void => {
      if (!alone) return;
      alone = false;
      this.#isAlone = false;
    };
    return {
      review: (run) => {
        if (!here || !alone || isSuspect(run)) return;
        open();
        this.#tell();
      },
      leave: () => {
        if (!here) return;
        here = false;
        open();
        this.#seated -= 1;
        this.#settle();
        this.#tell();
      },
    };
  }

  #settle(): void {
    if (this.#seated > 0) return;
    const turn = this.#turn;
    this.#turn = undefined;
    if (turn !== undefined) turn(this.#sit(true));
    else this.#next(() => this.#sit(true));
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
