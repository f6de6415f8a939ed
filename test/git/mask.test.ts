import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { maskedCommit, unmask, type Masked } from '../../src/git/mask.ts';
import { ensureMirror, type Mirror } from '../../src/git/mirror.ts';
import { git } from '../../src/git/plumbing.ts';
import { entryAt, filesOf, readBlob, treeOf, withEntries, writeBlob, type Entry } from '../../src/git/tree.ts';

let root: string;
let mirror: Mirror;
let tip: string;

beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'maestro-mask-'));
  mirror = await ensureMirror(root, 1);
  const files = { 'CLAUDE.md': 'a\nb\nc\nd\ne\nf\nown\n', '.mcp.json': '{}\n', 'src/a.ts': 'a\n' };
  const input = Object.entries(files).map(([name, text]) => `M 100644 inline ${name}\ndata ${text.length}\n${text}\n`);
  execFileSync('git', ['-C', mirror.gitDir, 'fast-import', '--quiet'], {
    input: `commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 1\nx\n${input.join('')}`,
  });
  tip = await git(mirror.gitDir, ['rev-parse', 'main']);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function file(text: string): Promise<NonNullable<Entry>> {
  return { mode: '100644', oid: await writeBlob(mirror, Buffer.from(text)) };
}

async function there(at: string): Promise<Entry> {
  return await entryAt(mirror, await treeOf(mirror, tip), at);
}

async function masks(): Promise<readonly Masked[]> {
  return [
    { path: 'CLAUDE.md', there: await there('CLAUDE.md'), shown: await file('a\nb\nc\nd\ne\nf\n'), whole: true },
    { path: '.mcp.json', there: await there('.mcp.json'), shown: undefined, whole: false },
    { path: '.claude/settings.json', there: undefined, shown: await file('{ "shown": 1 }\n'), whole: false },
  ];
}

async function textAt(tree: string, at: string): Promise<string | undefined> {
  const entry = await entryAt(mirror, tree, at);
  return entry === undefined ? undefined : Buffer.from(await readBlob(mirror, entry.oid)).toString();
}

it('shows other versions of some paths, in a commit on top of the tip that is the same every time', async () => {
  const commit = await maskedCommit(mirror, tip, await masks(), 1_700_000_000_000);
  expect(await maskedCommit(mirror, tip, await masks(), 1_700_000_000_000)).toBe(commit);
  expect(await git(mirror.gitDir, ['rev-parse', `${commit}^`])).toBe(tip);
  expect((await filesOf(mirror, commit)).map((one) => one.path)).toEqual([
    '.claude/settings.json',
    'CLAUDE.md',
    'src/a.ts',
  ]);
  expect(await textAt(commit, 'CLAUDE.md')).toBe('a\nb\nc\nd\ne\nf\n');
});

it('puts back what the agent left alone, so that it is no change', async () => {
  const masked = await masks();
  const shown = await treeOf(mirror, await maskedCommit(mirror, tip, masked, 0));
  expect(await unmask(mirror, shown, masked, {})).toEqual({ tree: await treeOf(mirror, tip), changedUnseen: [] });
});

it("joins the agent's change with the branch's own, and takes the agent's word where it saw nothing, or not all", async () => {
  const masked = await masks();
  const shown = await treeOf(mirror, await maskedCommit(mirror, tip, masked, 0));
  const left = await withEntries(mirror, shown, [
    { path: 'CLAUDE.md', entry: await file('A\nb\nc\nd\ne\nf\n') },
    { path: '.mcp.json', entry: await file('mine\n') },
    { path: '.claude/settings.json', entry: undefined },
  ]);
  const { tree, changedUnseen } = await unmask(mirror, left, masked, {});
  expect(await textAt(tree, 'CLAUDE.md')).toBe('A\nb\nc\nd\ne\nf\nown\n');
  expect(await textAt(tree, '.mcp.json')).toBe('mine\n');
  expect(await textAt(tree, '.claude/settings.json')).toBeUndefined();
  expect(changedUnseen).toEqual(['.mcp.json', '.claude/settings.json']);
});

it("keeps the agent's version where both changed the same lines, and of files that are no text", async () => {
  const masked = await masks();
  const shown = await treeOf(mirror, await maskedCommit(mirror, tip, masked, 0));
  for (const text of ['a\nb\nc\nd\ne\nf\nother\n', 'bin\0ary']) {
    const left = await withEntries(mirror, shown, [{ path: 'CLAUDE.md', entry: await file(text) }]);
    expect(await textAt((await unmask(mirror, left, masked, {})).tree, 'CLAUDE.md')).toBe(text);
  }
});
