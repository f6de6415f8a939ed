import type { Clock } from '../domain/clock.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * Forgets settled deliveries older than `keepMs`. What is pending or was given up stays, and so does the audit log, for ever. Says
 * how many went. `keepMs` must be longer than GitHub delivers again (3 days), or a late copy would be taken for something new.
 */
export async function pruneDeliveries(deps: {
  readonly store: Pick<Store, 'pruneDeliveries'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly keepMs: number;
}): Promise<number> {
  const pruned = await deps.store.pruneDeliveries(deps.clock.now() - deps.keepMs);
  if (pruned > 0) deps.log.info({ pruned }, 'old deliveries forgotten');
  return pruned;
}
