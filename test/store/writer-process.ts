import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/open.ts';
import { createLog } from '../../src/telemetry/log.ts';

/*
 * A writer to be killed: opens the embedded store in the directory given, says `open`, then saves one delivery after the other
 * and says its GUID once it is saved. GUIDs begin with the second argument.
 */
const [directory = '', prefix = ''] = process.argv.slice(2);
const { store } = await openStore({ directory, log: createLog({ level: 'error' }) });
writeSync(1, 'open\n');
for (let count = 0; ; count += 1) {
  const guid = `${prefix}-${count}`;
  await store.saveDelivery({ guid, event: 'push', action: undefined, body: 'x'.repeat(5000), receivedAt: count });
  writeSync(1, `${guid}\n`);
}
