import { createJournal, type Journal } from './journal.ts';
import type { Delivery } from './state.ts';

/** One request that came in, with what was answered. */
export interface RequestRecord {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Operation id such as `issues/create`, or undefined for git and for unknown paths. */
  readonly operation: string | undefined;
  /** Login, `app` for the App itself, `anonymous`. */
  readonly actor: string;
  readonly actorKind: 'app' | 'installation' | 'user' | undefined;
  readonly body: unknown;
  readonly responseBody: unknown;
  readonly contentType: string | undefined;
  /** 0 when the reply was cut off. */
  readonly status: number;
}

/** One ref's move, with who did it. */
export interface RefUpdateRecord {
  readonly at: string;
  readonly repository: string;
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly actor: string;
  readonly via: 'git' | 'rest';
}

/** What happened, for tests that ask afterwards. */
export interface Audit {
  readonly requests: Journal<RequestRecord>;
  readonly refUpdates: Journal<RefUpdateRecord>;
  readonly deliveries: Journal<Delivery>;
  /** Every installation token there has been. */
  readonly tokens: Set<string>;
}

/** Of each kind. */
const KEPT = 10_000;

/** An empty audit. */
export function createAudit(): Audit {
  return {
    requests: createJournal(KEPT),
    refUpdates: createJournal(KEPT),
    deliveries: createJournal(KEPT),
    tokens: new Set(),
  };
}
