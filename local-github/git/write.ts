import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { git, GitError } from './process.ts';
import type { Person } from './objects.ts';

export interface CommitRequest {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: Person;
  readonly committer: Person;
}

/** Stores a commit object; resolves to its sha. */
export async function writeCommit(directory: string, request: CommitRequest): Promise<string> {
  return await git(directory, ['commit-tree', request.tree, ...request.parents.flatMap((sha) => ['-p', sha])], {
    input: request.message,
    environment: {
      GIT_AUTHOR_NAME: request.author.name,
      GIT_AUTHOR_EMAIL: request.author.email,
      GIT_AUTHOR_DATE: request.author.date,
      GIT_COMMITTER_NAME: request.committer.name,
      GIT_COMMITTER_EMAIL: request.committer.email,
      GIT_COMMITTER_DATE: request.committer.date,
    },
  });
}

/** Stores bytes as a blob; resolves to its sha. */
export async function writeBlob(directory: string, content: Buffer): Promise<string> {
  return await git(directory, ['hash-object', '-w', '--stdin'], { input: content });
}

/** A path's new content in a tree; `undefined` removes it. */
export interface TreeEdit {
  readonly path: string;
  readonly blob: string | undefined;
  readonly mode?: '100644' | '100755';
}

/** Stores the tree that `base` (undefined: the empty one) becomes with the edits; resolves to its sha. */
export async function writeTree(
  directory: string,
  base: string | undefined,
  edits: readonly TreeEdit[],
): Promise<string> {
  const index = join(directory, `index-${randomUUID()}`);
  const environment = { GIT_INDEX_FILE: index };
  try {
    if (base !== undefined) await git(directory, ['read-tree', base], { environment });
    const lines = edits.map((edit) =>
      edit.blob === undefined
        ? `0 ${'0'.repeat(40)}\t${edit.path}\0`
        : `${edit.mode ?? '100644'} ${edit.blob}\t${edit.path}\0`,
    );
    await git(directory, ['update-index', '-z', '--add', '--replace', '--index-info'], {
      environment,
      input: lines.join(''),
    });
    return await git(directory, ['write-tree'], { environment });
  } finally {
    await rm(index, { force: true });
  }
}

/** The tree of a merge of two commits; undefined when they conflict. */
export async function mergedTree(directory: string, ours: string, theirs: string): Promise<string | undefined> {
  try {
    const output = await git(directory, ['merge-tree', '--write-tree', ours, theirs]);
    return output.split('\n')[0];
  } catch (error) {
    // 1 means conflicts; unrelated histories and worse end with another code.
    if (error instanceof GitError && (error.code === 1 || /unrelated histories/.test(error.stderr))) return undefined;
    throw error;
  }
}
