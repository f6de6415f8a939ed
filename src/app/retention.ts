import type { Clock } from '../domain/clock.ts';
import type { Store } from '../store/store.ts';
import { DEALT_PREFIXES } from './heard.ts';
import { SHOWN_PLANS } from './triggers/plan.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * Forgets settled deliveries older than `keepMs`. What is pending or was given up stays, and so does the audit log, for ever. Says
 * how many went. `keepMs` must be longer than GitHub delivers again (3 days), or a late copy would be taken for something new.
 */
export async function forgetOld(deps: {
  readonly store: Pick<Store, 'pruneDeliveries' | 'pruneMarks'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly keepMs: number;
}): Promise<number> {
  const before = deps.clock.now() - deps.keepMs;
  const pruned = await deps.store.pruneDeliveries(before);
  for (const prefix of [...DEALT_PREFIXES, SHOWN_PLANS]) await deps.store.pruneMarks(prefix, before);
  if (pruned > 0) deps.log.info({ pruned }, 'old deliveries forgotten');
  return pruned;
}
