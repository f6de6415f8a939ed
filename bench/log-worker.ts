import { openShared } from '../src/compose/shared.ts';
import { startWorkerPart } from '../src/compose/worker-part.ts';
import { runProcess } from '../src/process.ts';

/** A worker with somebody who listens: every event is counted, and at the end of a session the count is logged. */
await runProcess(async (config) => {
  await using stack = new AsyncDisposableStack();
  const shared = stack.use(await openShared(config));
  let heard = 0;
  let first = 0;
  stack.use(
    await startWorkerPart(shared, {
      onEvent: (event) => {
        if (heard === 0) first = performance.now();
        heard += 1;
        if (event.type !== 'end') return;
        const seconds = (performance.now() - first) / 1000;
        const rssMb = process.resourceUsage().maxRSS / 1024;
        shared.log.info({ heard, seconds, rssMb }, 'session heard');
        heard = 0;
      },
    }),
  );
  return stack.move();
});
