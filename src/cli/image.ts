import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** The agent image could not be had, or there is no engine to run it on. */
export class NoImageError extends Error {
  override readonly name = 'NoImageError';
}

/**
 * Makes sure an image with `agents` (as `npm run image -- --agents` takes them) is there and gives its reference. `onProgress` gets
 * lines for people. Throws `NoImageError`.
 */
export async function ensureAgentImage({
  agents,
  onProgress,
}: {
  readonly agents: string;
  readonly onProgress: (line: string) => void;
}): Promise<string> {
  const script = fileURLToPath(new URL('../../scripts/image.ts', import.meta.url));
  const building = execa(process.execPath, [script, '--agents', agents, '--tag', ''], {
    reject: false,
    stdin: 'ignore',
    lines: true,
  });
  for await (const line of building.iterable({ from: 'stderr' })) onProgress(line);
  const result = await building;
  const reference = result.stdout.at(-1);
  if (result.failed || reference === undefined)
    throw new NoImageError(result.stderr.slice(-3).join(' ') || 'the agent image could not be built');
  return reference;
}
