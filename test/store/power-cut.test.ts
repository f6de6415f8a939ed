import { copyFileSync, fstatSync, mkdirSync, readlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { openPglite } from '../../src/store/pglite.ts';
import { createStore } from '../../src/store/sql-store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { embeddedDirectories } from './embedded.ts';
import { aDelivery } from './samples.ts';

const log = createLog({ level: 'silent' });

/** Power cuts tried: a few in every run of the tests, a hundred in a thorough one. */
const CUTS = process.env['MAESTRO_FAULTS'] === 'full' ? 100 : 3;

// A copy of the database gets of each file only what the database has flushed to the disk: what a power cut leaves at worst.
it(
  'keeps every acknowledged delivery when all that was not flushed is gone',
  { timeout: 20_000 + CUTS * 20_000 },
  async () => {
    await using directories = await embeddedDirectories();
    let acknowledged = 0;
    for (let cut = 0; cut < CUTS; cut += 1) {
      const live = await directories.make();
      const left = `${live}-left`;
      await cp(live, left, { recursive: true });
      const flush = (descriptor: number): void => {
        if (!fstatSync(descriptor).isFile()) return;
        const file = readlinkSync(`/proc/self/fd/${descriptor}`);
        const to = path.join(left, path.relative(live, file));
        mkdirSync(path.dirname(to), { recursive: true });
        copyFileSync(file, to);
      };
      const database = await openPglite({ directory: live, flush });
      const store = createStore(database);
      const saved: string[] = [];
      for (let count = 0; count < 5 + ((cut * 13) % 40); count += 1) {
        const delivery = { ...aDelivery(), body: JSON.stringify({ filler: `${count}`.repeat(2_000) }) };
        await store.saveDelivery(delivery);
        saved.push(delivery.guid);
        if (count % 10 === 3) await database.transaction(async (transaction) => transaction.script('CHECKPOINT'));
      }
      const cutOff = `${live}-cut`;
      await cp(left, cutOff, { recursive: true });
      await store.close();

      const after = await openStore({ directory: cutOff, log });
      const found = new Set((await after.store.pendingDeliveries(Infinity, 1_000)).map(({ guid }) => guid));
      await after.store.close();
      expect(saved.filter((guid) => !found.has(guid))).toStrictEqual([]);
      acknowledged += saved.length;
    }
    expect(acknowledged).toBeGreaterThan(CUTS);
  },
);
