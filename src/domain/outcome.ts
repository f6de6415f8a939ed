import type { Scope } from './budget.ts';
import type { Evidence } from './evidence.ts';
import type { Question } from './question.ts';

/**
 * Why an attempt failed. Decided from structured fields and exit codes, never from prose.
 *
 * - `auth` the provider refused the key · `quota` used up until `resetAt` · `overloaded`, `network` the provider could not answer
 * - `context-full` the conversation outgrew the model · `permission` the agent was denied what it needed · `crash` it ended abnormally
 * - `idle` it said nothing for too long · `wall` it took too long · `verify-failed` the playbook's own checks failed
 * - `setup` what prepares the working copy failed · `policy` the work touches what it must not · `budget` the money or tokens allowed are spent · `infra` our side broke
 * - `blocked` the agent said that it can't be done
 */
export type FailureKind =
  | 'auth'
  | 'quota'
  | 'overloaded'
  | 'network'
  | 'context-full'
  | 'permission'
  | 'crash'
  | 'idle'
  | 'wall'
  | 'setup'
  | 'verify-failed'
  | 'policy'
  | 'budget'
  | 'infra'
  | 'blocked';

export interface Failure {
  readonly kind: FailureKind;
  /** One sentence for the person: what happened and what to do. */
  readonly message: string;
  /** Last lines of output or the original error, for the folded detail. */
  readonly detail?: string;
  /** Epoch milliseconds when a used-up quota, or the budget of a day, comes back. */
  readonly resetAt?: number;
  /** Which limit a spent budget was. */
  readonly limit?: { readonly scope: Scope; readonly byOperator: boolean };
  /** Ref that keeps the partial work of the attempt, if there was any. */
  readonly keptRef?: string;
}

/** How a task ended. Closed: every place that switches over it is exhaustive. */
export type Outcome =
  /** `parent` is the commit it stands on; not known of commits from before it was kept. */
  | ({ readonly kind: 'committed'; readonly commit: string; readonly parent?: string } & Evidence)
  | { readonly kind: 'no-change' }
  | ({ readonly kind: 'failed'; readonly failure: Failure } & Evidence)
  | { readonly kind: 'cancelled'; readonly by: string; readonly reason: string; readonly keptRef?: string }
  /** A person said that it is not to be done. `reason` may be empty. */
  | { readonly kind: 'skipped'; readonly by: string; readonly reason: string }
  /** It goes on at `until`, or when people have answered the question. */
  | { readonly kind: 'parked'; readonly until?: number; readonly reason: string; readonly question?: Question };
