import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** Holds a scripted agent of the local runner at a point until the test lets it go. */
export interface Gate {
  /** Directives for the agent: says `now`, then waits. */
  readonly directives: string;
  open(): Promise<void>;
}

/** A gate of the running test, opened when the test is over in any case. */
export function createGate(): Gate {
  const file = path.join(tmpdir(), `maestro-gate-${randomUUID()}`);
  onTestFinished(async () => await rm(file, { force: true }));
  return {
    directives: `\`scripted: say now\` \`scripted: await ${file}\``,
    open: async () => await writeFile(file, ''),
  };
}
