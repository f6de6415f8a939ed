import { gitDirectory } from './hub.ts';
import type { Hub } from './hub.ts';
import { gitOnce } from './git/process.ts';
import { readRef } from './git/ref-files.ts';
import { countApart, mergeBase, resolve } from './git/objects.ts';
import { mergedTree } from './git/write.ts';
import { repositoryById } from './lookup.ts';
import type { Issue } from './state.ts';

/** What only git can tell about a pull request. */
export interface PullNumbers {
  readonly commits: number;
  readonly additions: number;
  readonly deletions: number;
  readonly changedFiles: number;
  readonly mergeable: boolean | null;
  readonly behind: number;
}

const NOTHING: PullNumbers = { commits: 0, additions: 0, deletions: 0, changedFiles: 0, mergeable: null, behind: 0 };
const cache = new Map<string, PullNumbers>();
const CACHED = 1000;

/** Counts commits and lines of a pull request and tries its merge. Same commits, same answer: kept in memory. */
export async function pullNumbers(hub: Hub, issue: Issue): Promise<PullNumbers> {
  if (issue.pull === null) return NOTHING;
  const directory = gitDirectory(hub, repositoryById(hub.world, issue.repositoryId));
  const { headSha } = issue.pull;
  const open = issue.state === 'open';
  const baseSha =
    (open ? await resolve(directory, `refs/heads/${issue.pull.baseRef}`) : undefined) ?? issue.pull.baseSha;
  const key = `${directory} ${baseSha} ${headSha} ${open}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const numbers = await count(directory, { baseSha, headSha, open });
  if (cache.size >= CACHED) cache.clear();
  cache.set(key, numbers);
  return numbers;
}

async function count(
  directory: string,
  pull: { readonly baseSha: string; readonly headSha: string; readonly open: boolean },
): Promise<PullNumbers> {
  const { baseSha, headSha, open } = pull;
  const apart = await countApart(directory, baseSha, headSha);
  const hasAll = apart.behind === 0;
  const common = hasAll ? baseSha : await mergeBase(directory, baseSha, headSha);
  if (common === undefined) return { ...NOTHING, mergeable: open ? false : null };
  const stat = await gitOnce(directory, ['diff', '--shortstat', common, headSha]);
  const merges = open && (hasAll || (await mergedTree(directory, baseSha, headSha)) !== undefined);
  return {
    commits: apart.ahead,
    behind: apart.behind,
    changedFiles: numberIn(stat, /(\d+) files? changed/),
    additions: numberIn(stat, /(\d+) insertion/),
    deletions: numberIn(stat, /(\d+) deletion/),
    mergeable: open ? merges : null,
  };
}

function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

/** Whether a branch exists. */
export async function branchExists(directory: string, branch: string): Promise<boolean> {
  return (await readRef(directory, `refs/heads/${branch}`)) !== undefined;
}
