import type { Database } from './database.ts';
import { saveDeliveries } from './inbox.ts';
import type { NewDelivery, Store } from './store.ts';

interface Waiting {
  readonly delivery: NewDelivery;
  readonly resolve: (saved: 'saved' | 'duplicate') => void;
  readonly reject: (error: unknown) => void;
}

/** Most deliveries of one statement. The front door holds no more bodies at a time than this (`app/raw-body.ts`). */
const MOST = 64;

/**
 * Saves deliveries, those that come while another is being saved in one statement together: what a save costs is the flush to the
 * disk, and a burst of a thousand then waits for some twenty of them. A delivery on its own waits for nothing.
 */
export function createDeliverySaver(database: Database): Store['saveDelivery'] {
  let waiting: Waiting[] = [];
  let isSaving = false;

  async function saveAll(): Promise<void> {
    isSaving = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST);
      waiting = waiting.slice(MOST);
      await saveBatch(database, batch);
    }
    isSaving = false;
  }

  return (delivery) =>
    new Promise((resolve, reject) => {
      waiting.push({ delivery, resolve, reject });
      if (!isSaving) void saveAll();
    });
}

/** Never rejects. A batch that fails is saved one by one, so that a delivery the database can't take fails alone. */
async function saveBatch(database: Database, batch: readonly Waiting[]): Promise<void> {
  try {
    const saved = await saveDeliveries(
      database,
      batch.map(({ delivery }) => delivery),
    );
    for (const [at, { resolve }] of batch.entries()) resolve(saved[at] ?? 'duplicate');
  } catch (error) {
    if (batch.length === 1) for (const { reject } of batch) reject(error);
    else for (const one of batch) await saveBatch(database, [one]);
  }
}
