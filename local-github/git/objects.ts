import { git, gitBytes, GitError, gitOnce, tryGit } from './process.ts';
import { readRef, SHA } from './ref-files.ts';

export interface Person {
  readonly name: string;
  readonly email: string;
  /** ISO 8601 with offset, as git has it. */
  readonly date: string;
}

export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
}

export interface TreeEntry {
  readonly mode: string;
  readonly type: 'blob' | 'tree' | 'commit';
  readonly sha: string;
  readonly size: number | undefined;
  readonly path: string;
}

/** What git calls the absence of an object. */
export const NO_OBJECT = '0'.repeat(40);

/** A branch or tag without anything that git would read as more than its name (gitrevisions(7)). */
const PLAIN_REF = /^refs\/(heads|tags)\/(?!.*(\.\.|@\{|\/\/|\.lock$))[\w.@+=/#()!,;-]*\w$/;

/** The object a name points to (a sha, `refs/heads/x`, `x^{commit}`); undefined when there is none. */
export async function resolve(directory: string, name: string): Promise<string | undefined> {
  if (name.startsWith('-')) return undefined;
  const [, of = name, wanted] = /^(.*)\^\{(commit|tree)\}$/.exec(name) ?? [];
  if (SHA.test(of) || PLAIN_REF.test(of)) {
    const sha = SHA.test(of) ? of : await readRef(directory, of);
    if (sha === undefined || of === name) return sha;
    const type = await objectType(directory, sha);
    if (type === wanted) return sha;
    if (type !== 'tag' && type !== 'commit') return undefined;
  }
  const command = ['rev-parse', '--verify', '--quiet', '--end-of-options', name];
  return isFixed(name) ? await unlessRefused(gitOnce(directory, command)) : await tryGit(directory, command);
}

/** Whether a name begins with a whole sha, so that it will never mean something else. */
function isFixed(name: string): boolean {
  return /^[0-9a-f]{40}(?:$|[:^])/.test(name);
}

/** The commit a caller means by a branch, tag, full ref or sha, branch first. */
export async function resolveCommit(directory: string, name: string): Promise<string | undefined> {
  for (const candidate of [`refs/heads/${name}`, `refs/tags/${name}`, name]) {
    const sha = await resolve(directory, `${candidate}^{commit}`);
    if (sha !== undefined) return sha;
  }
  return undefined;
}

// Unit and record separators never occur in names, dates or shas; the message comes last and may hold anything else.
const FIELD = '%x1f';
const FORMAT = ['%H', '%T', '%P', '%an', '%ae', '%aI', '%cn', '%ce', '%cI', '%B'].join(FIELD) + '%x1e';

/** Commits in git's order for revision arguments such as `['main..topic']`, newest first. */
export async function listCommits(directory: string, revisions: readonly string[]): Promise<Commit[]> {
  return parseCommits(await git(directory, logOf(revisions)));
}

function logOf(revisions: readonly string[]): readonly string[] {
  return ['log', `--format=${FORMAT}`, ...revisions];
}

function parseCommits(output: string): Commit[] {
  return output
    .split('\x1e')
    .map((record) => record.replace(/^\n/, ''))
    .filter((record) => record !== '')
    .map(parseCommit);
}

/** One commit; undefined when the name leads to none. */
export async function readCommit(directory: string, name: string): Promise<Commit | undefined> {
  const sha = await resolve(directory, `${name}^{commit}`);
  if (sha === undefined) return undefined;
  return parseCommits(await gitOnce(directory, logOf(['-1', sha])))[0];
}

function parseCommit(record: string): Commit {
  const [sha = '', tree = '', parents = '', an = '', ae = '', ad = '', cn = '', ce = '', cd = '', message = ''] =
    record.split('\x1f');
  return {
    sha,
    tree,
    parents: parents === '' ? [] : parents.split(' '),
    author: { name: an, email: ae, date: ad },
    committer: { name: cn, email: ce, date: cd },
    message: message.replace(/\n+$/, ''),
  };
}

/** Entries of a tree-ish, `recursive` with every level's directories too. */
export async function listTree(directory: string, treeish: string, recursive: boolean): Promise<TreeEntry[]> {
  const command = ['ls-tree', '-z', '-l', ...(recursive ? ['-r', '-t'] : []), treeish];
  const output = await (isFixed(treeish) ? gitOnce : git)(directory, command);
  return output
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', type = '', sha = '', size = '-'] = line.slice(0, tab).split(/ +/);
      return {
        mode,
        type: type === 'tree' || type === 'commit' ? type : 'blob',
        sha,
        size: size === '-' ? undefined : Number(size),
        path: line.slice(tab + 1),
      };
    });
}

/** A blob's bytes; undefined when the sha names none. */
export async function readBlob(directory: string, sha: string): Promise<Buffer | undefined> {
  if ((await objectType(directory, sha)) !== 'blob') return undefined;
  return await gitBytes(directory, ['cat-file', 'blob', sha]);
}

/** `commit`, `tree`, `blob` or `tag`; undefined when there is no such object. */
export async function objectType(directory: string, sha: string): Promise<string | undefined> {
  return SHA.test(sha) ? await unlessRefused(gitOnce(directory, ['cat-file', '-t', sha])) : undefined;
}

/** Whether every commit of `ancestor` is in `descendant`, both by their shas. */
export async function isAncestor(directory: string, ancestor: string, descendant: string): Promise<boolean> {
  return (await unlessRefused(gitOnce(directory, ['merge-base', '--is-ancestor', ancestor, descendant]))) !== undefined;
}

/** The best common ancestor of two shas; undefined for unrelated histories. */
export async function mergeBase(directory: string, one: string, other: string): Promise<string | undefined> {
  return await unlessRefused(gitOnce(directory, ['merge-base', one, other]));
}

async function unlessRefused(output: Promise<string>): Promise<string | undefined> {
  try {
    return await output;
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}

/** How many commits each side, a sha, has that the other has not. */
export async function countApart(
  directory: string,
  base: string,
  head: string,
): Promise<{ readonly ahead: number; readonly behind: number }> {
  const [behind = '0', ahead = '0'] = (
    await gitOnce(directory, ['rev-list', '--left-right', '--count', `${base}...${head}`])
  ).split('\t');
  return { ahead: Number(ahead), behind: Number(behind) };
}
