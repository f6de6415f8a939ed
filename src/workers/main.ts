import { openShared, startWorkerPart } from '../compose.ts';
import { runProcess } from '../process.ts';

await runProcess(async (config) => {
  await using stack = new AsyncDisposableStack();
  stack.use(await startWorkerPart(stack.use(await openShared(config))));
  return stack.move();
});
