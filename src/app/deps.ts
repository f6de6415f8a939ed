import type { OperatorBudget } from '../domain/budget.ts';
import type { Clock } from '../domain/clock.ts';
import type { Facts } from '../domain/explain.ts';
import type { Forge } from '../forge/forge.ts';
import type { RunQueue } from '../queue/queue.ts';
import type { Shelf } from '../sessions/shelf.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { DeliveryNotes } from './notes.ts';

/** All that the event handlers work with. Composed in `main.ts`. */
export interface AppDeps {
  readonly store: Store;
  readonly queue: RunQueue;
  readonly forge: Forge;
  readonly shelf: Pick<Shelf, 'list'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly notes: DeliveryNotes;
  readonly rules: AppRules;
  /** What is left on this machine's disk, and what a task needs to begin. */
  readonly space?: () => Promise<Facts['disk']>;
}

/** What the operator decided. */
export interface AppRules {
  /** Ids of the providers a run may be given to, in lower case. */
  readonly providers: readonly string[];
  /** Those of `providers` a run gets when nobody names one: the first, and in their order those that take over. */
  readonly defaultProviders: readonly string[];
  /** Numeric account ids of bots that may start and steer runs like people. */
  readonly allowedBots: readonly number[];
  /** Branches below this are ours: `maestro/`. */
  readonly branchPrefix: string;
  /** Where committed playbooks live: `.maestro/playbooks`, without a slash at its end. */
  readonly playbookDirectory: string;
  /** Repositories that are larger are not worked on; bytes, as GitHub counts them. */
  readonly repositoryBytes: number;
  /** How long a conversation is kept. Milliseconds. */
  readonly keepMs: number;
  /** What runs may spend. */
  readonly budget: OperatorBudget;
}
