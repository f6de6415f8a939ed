import { around } from '../telemetry/failpoint.ts';
import { note, noteContent } from './known.ts';
import type { Mirror } from './mirror.ts';
import { git } from './plumbing.ts';

/** All a commit is made of: the same values give the same commit, so that making it again after a crash changes nothing. */
export interface CommitFacts {
  readonly tree: string;
  /** What one file is to be whatever the tree says: bytes, or absent when undefined. `mode` is git's octal string. */
  readonly file?: { readonly path: string; readonly mode: string; readonly content: Uint8Array | undefined };
  readonly parent: string;
  readonly author: { readonly name: string; readonly email: string };
  /** Epoch milliseconds; git keeps whole seconds. */
  readonly at: number;
  readonly message: string;
}

/**
 * Writes a commit with what it is made of, points a ref of the mirror at it wherever that was before, and returns its oid. No hook
 * runs. One `git fast-import` does what takes six commands of plumbing, each of which costs a worker as much as all it does here.
 */
export async function writeCommit(mirror: Mirror, ref: string, facts: CommitFacts): Promise<string> {
  const { path, mode, content } = facts.file ?? {};
  const asked = path === undefined ? '' : `ls :1 ${quoted(path)}\n`;
  const input = Buffer.concat([
    Buffer.from(
      [
        'feature done',
        `commit ${ref}`,
        'mark :1',
        ...['author', 'committer'].map((role) => `${role} ${signature(facts)}`),
        // Git refuses a commit with a NUL in its message, and so would GitHub.
        data(facts.message.replaceAll('\0', '')),
        `from ${facts.parent}`,
        `M 040000 ${facts.tree} ""`,
        ...(path === undefined
          ? []
          : [content === undefined ? `D ${quoted(path)}` : `M ${mode} inline ${quoted(path)}`]),
        ...(content === undefined ? [] : [`data ${content.byteLength}\n`]),
      ].join('\n'),
    ),
    content ?? new Uint8Array(),
    Buffer.from(`\nget-mark :1\nls :1 ""\n${asked}done\n`),
  ]);
  const command = ['fast-import', '--quiet', '--force'];
  const [commit = '', root = '', entry] = (
    await around('commit', { perform: () => git(mirror.gitDir, command, { input }) })
  ).split('\n');
  const tree = oidIn(root);
  note(mirror, ['tree', commit], tree);
  if (path !== undefined && entry !== undefined) {
    const oid = content === undefined ? undefined : oidIn(entry);
    note(mirror, ['entry', tree, path], oid === undefined ? undefined : `${mode} ${oid}`);
    if (oid !== undefined && content !== undefined) noteContent(mirror, oid, content);
  }
  return commit;
}

/** Who and when, as git-fast-import(1) takes it; what would end a name or an address in it is left out, as git itself does. */
function signature({ author, at }: CommitFacts): string {
  const [name, email] = [author.name, author.email].map((word) => word.replaceAll(/[<>\n\0]/g, ''));
  return `${name} <${email}> ${Math.floor(at / 1000)} +0000`;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

/** A path as git reads it between quotes. */
function quoted(path: string): string {
  // eslint-disable-next-line no-control-regex
  const escaped = path.replaceAll(/["\\\u0000-\u001f]/g, (it) => `\\${it.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return `"${escaped}"`;
}

/** The oid in a line of `ls`: `MODE TYPE OID\tPATH`. */
function oidIn(line: string): string {
  return line.split('\t')[0]?.split(' ')[2] ?? '';
}
