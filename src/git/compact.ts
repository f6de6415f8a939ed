import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Log } from '../telemetry/log.ts';
import { git } from './plumbing.ts';
import type { Mirror } from './mirror.ts';

/** Packs a repository may have before they are put together: git's own figure (git-config(1), `gc.autoPackLimit`). */
const MOST_PACKS = 50;

/** Reading, and writing once more, what fifty fetches brought. Milliseconds. */
const PATIENCE_MS = 600_000;

/** How long a mirror that could not be compacted is left alone. Milliseconds. */
const AGAIN_MS = 10 * 60_000;

/** When that was, by the mirror's directory. */
const refused = new Map<string, number>();

/**
 * Puts the many small packs and loose objects of a mirror together: every task brings a pack, and git looks into each of them for what
 * it does not find. Nothing is dropped, whether a ref leads to it or not, because lanes point into the mirror: a geometric repack
 * takes packs as they are (git-repack(1), `--geometric`). Git that reads meanwhile looks again for what has moved. Does nothing where
 * there are few packs, and never throws: a mirror that stays as it is is slow, but whole.
 */
export async function compact({ gitDir }: Mirror, log: Pick<Log, 'info' | 'warn'>): Promise<void> {
  const packs = await countPacks(gitDir);
  if (packs <= MOST_PACKS || Date.now() - (refused.get(gitDir) ?? -Infinity) < AGAIN_MS) return;
  try {
    await git(gitDir, ['repack', '--geometric=2', '-d', '-n', '--quiet'], { timeoutMs: PATIENCE_MS });
    log.info({ mirror: path.basename(gitDir), packs, now: await countPacks(gitDir) }, 'compacted a mirror');
  } catch (error) {
    refused.set(gitDir, Date.now());
    log.warn({ err: error, mirror: path.basename(gitDir), packs }, 'a mirror could not be compacted');
  }
}

async function countPacks(gitDir: string): Promise<number> {
  const files = await readdir(path.join(gitDir, 'objects', 'pack')).catch(() => []);
  return files.filter((file) => file.endsWith('.idx')).length;
}
