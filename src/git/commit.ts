import { around } from '../telemetry/failpoint.ts';
import { note } from './known.ts';
import type { Mirror } from './mirror.ts';
import { git } from './plumbing.ts';

/** All a commit is made of: the same values give the same commit, so that making it again after a crash changes nothing. */
export interface CommitFacts {
  readonly tree: string;
  readonly parent: string;
  readonly author: { readonly name: string; readonly email: string };
  /** Epoch milliseconds; git keeps whole seconds. */
  readonly at: number;
  readonly message: string;
}

/** Writes a commit object by plumbing and returns its oid. No ref moves, no hook runs. */
export async function writeCommit(mirror: Mirror, facts: CommitFacts): Promise<string> {
  const date = `${Math.floor(facts.at / 1000)} +0000`;
  const env = {
    GIT_AUTHOR_NAME: facts.author.name,
    GIT_AUTHOR_EMAIL: facts.author.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: facts.author.name,
    GIT_COMMITTER_EMAIL: facts.author.email,
    GIT_COMMITTER_DATE: date,
  };
  const command = ['commit-tree', facts.tree, '-p', facts.parent, '-F', '-'];
  const commit = await around('commit', { perform: () => git(mirror.gitDir, command, { env, input: facts.message }) });
  note(mirror, ['tree', commit], facts.tree);
  return commit;
}
