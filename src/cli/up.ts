import type { Config } from '../config.ts';
import { openShared, startApp, startWorkerPart } from '../compose.ts';

/** App and worker in one process: all a small installation needs. */
export async function up(config: Config): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const shared = stack.use(await openShared(config));
  stack.use(await startWorkerPart(shared));
  stack.use(await startApp(shared));
  return stack.move();
}
