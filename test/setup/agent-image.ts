import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

/** Builds the agent image unless the engine has it; minutes the first time, nothing after that. */
export async function ensureImage(dockerHost: string | undefined): Promise<string> {
  if (dockerHost === undefined) throw new Error('there is no Docker engine to hold the agent image');
  const script = join(ROOT, 'scripts', 'image.ts');
  if (!existsSync(script)) throw new Error('scripts/image.ts, which makes the agent image, is not there');
  const { stdout } = await run(process.execPath, [script, '--quiet', '--tag', ''], {
    cwd: ROOT,
    env: { ...process.env, DOCKER_HOST: dockerHost },
    maxBuffer: 64 * 1024 * 1024,
  });
  const reference = stdout.trim().split('\n').at(-1);
  if (reference === undefined || reference === '') throw new Error('scripts/image.ts printed no image reference');
  return reference;
}
