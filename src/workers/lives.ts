import type { RunId } from '../domain/ids.ts';
import type { Store } from '../store/store.ts';

/** How often in a row workers may take a run up and die before they got anywhere, until the run is given up (fault F43). */
export const FRUITLESS_LIVES = 3;

/** After this many it is given up without a word on GitHub: it may be saying so that kills the worker. */
export const SILENT_LIVES = 2 * FRUITLESS_LIVES;

const TAKEN_UP = ['run started', 'run resumed'];

/**
 * How often in a row a run was taken up, up to now, without anything being recorded of it afterwards. A session that was begun
 * counts as something: how often one may be cut short is counted with the sessions.
 */
export async function fruitlessLives(store: Pick<Store, 'auditOf'>, id: RunId): Promise<number> {
  const entries = await store.auditOf(id);
  const last = entries.findLastIndex(({ action }) => !TAKEN_UP.includes(action));
  return entries.length - 1 - last;
}
