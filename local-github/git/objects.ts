import { git, gitOnce, tryGit, unlessRefused } from './process.ts';
import { readObject } from './reader.ts';
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
  if (!isFixed(name)) return await tryGit(directory, ['rev-parse', '--verify', '--quiet', '--end-of-options', name]);
  const [, commit = '', path] = /^([0-9a-f]{40}):(.+)$/s.exec(name) ?? [];
  // A link to another repository's commit is found in its directory only.
  if (path !== undefined) return (await entryOf(directory, commit, path))?.sha;
  return (await readObject(directory, name, { withContent: false }))?.sha;
}

async function entryOf(directory: string, commit: string, path: string): Promise<BareEntry | undefined> {
  const parts = path.split('/');
  const name = parts.pop();
  const within = await readObject(directory, `${commit}:${parts.join('/')}`, { withContent: true });
  return within?.type === 'tree' ? entriesOf(within.content).find((entry) => entry.path === name) : undefined;
}

type BareEntry = Pick<TreeEntry, 'mode' | 'sha' | 'path'>;

/** What stands in a tree object: `MODE NAME\0` and the 20 bytes of a sha, one after another. */
function entriesOf(tree: Buffer): readonly BareEntry[] {
  const entries: BareEntry[] = [];
  for (let at = 0; at < tree.length;) {
    const space = tree.indexOf(0x20, at);
    const end = tree.indexOf(0, space);
    entries.push({
      mode: tree.toString('latin1', at, space).padStart(6, '0'),
      path: tree.toString('utf8', space + 1, end),
      sha: tree.toString('hex', end + 1, end + 21),
    });
    at = end + 21;
  }
  return entries;
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

/** Entries of a tree-ish, given by its sha or as `SHA:PATH`, `recursive` with every level's directories too. */
export async function listTree(directory: string, treeish: string, recursive: boolean): Promise<TreeEntry[]> {
  const tree = await readObject(directory, `${treeish}${treeish.includes(':') ? '' : '^{tree}'}`, {
    withContent: true,
  });
  if (tree?.type !== 'tree') throw new Error(`${treeish} is no tree in ${directory}`);
  const listed = await Promise.all(
    entriesOf(tree.content).map(async (entry): Promise<readonly TreeEntry[]> => {
      const type = entry.mode === '040000' ? 'tree' : entry.mode === '160000' ? 'commit' : 'blob';
      const size = type === 'blob' ? (await readObject(directory, entry.sha, { withContent: false }))?.size : undefined;
      const itself = { ...entry, type, size } as const;
      if (type !== 'tree' || !recursive) return [itself];
      const inner = await listTree(directory, entry.sha, true);
      return [itself, ...inner.map((one) => ({ ...one, path: `${entry.path}/${one.path}` }))];
    }),
  );
  return listed.flat();
}

/** A blob's bytes; undefined when the sha names none. */
export async function readBlob(directory: string, sha: string): Promise<Buffer | undefined> {
  const object = SHA.test(sha) ? await readObject(directory, sha, { withContent: true }) : undefined;
  return object?.type === 'blob' ? object.content : undefined;
}

/** `commit`, `tree`, `blob` or `tag`; undefined when there is no such object. */
export async function objectType(directory: string, sha: string): Promise<string | undefined> {
  return SHA.test(sha) ? (await readObject(directory, sha, { withContent: false }))?.type : undefined;
}

/** Whether every commit of `ancestor` is in `descendant`, both by their shas. */
export async function isAncestor(directory: string, ancestor: string, descendant: string): Promise<boolean> {
  return (await unlessRefused(gitOnce(directory, ['merge-base', '--is-ancestor', ancestor, descendant]))) !== undefined;
}

/** The best common ancestor of two shas; undefined for unrelated histories. */
export async function mergeBase(directory: string, one: string, other: string): Promise<string | undefined> {
  return await unlessRefused(gitOnce(directory, ['merge-base', one, other]));
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
