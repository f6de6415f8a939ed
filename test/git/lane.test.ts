import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { captureStream } from '../../src/git/capture-stream.ts';
import { writeCommit } from '../../src/git/commit.ts';
import { quarantine } from '../../src/git/ingest.ts';
import { captureCommand, prepareCommand } from '../../src/git/lane-scripts.ts';
import { ensureMirror, hasObject, type Mirror } from '../../src/git/mirror.ts';
import { assertConnected, differences, entryAt, readBlob, sizesOf, treeOf } from '../../src/git/tree.ts';

let root: string;
let mirror: Mirror;
let base: string;
let repo: string;
let keep: string;

function sh(cwd: string, ...argv: string[]): string {
  const env = {
    ...process.env,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@b',
  };
  return execFileSync(argv[0]!, argv.slice(1), {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

async function prepare(commit: string): Promise<void> {
  const [command, ...args] = prepareCommand({
    repo,
    mirror: mirror.gitDir,
    keep,
    tree: undefined,
    branch: 'maestro/x',
    commit,
  });
  await execa(command!, args, { env: { GIT_CONFIG_GLOBAL: '/dev/null' } });
}

async function capture(commit: string) {
  const [command, ...args] = captureCommand({ repo, mirror: mirror.gitDir, keep, tree: undefined, commit });
  const stream = captureStream();
  const child = execa(command!, args, { encoding: 'buffer', buffer: false, env: { GIT_CONFIG_GLOBAL: '/dev/null' } });
  child.stdout.pipe(stream.sink);
  const taken = quarantine(mirror, { name: 'test', pack: stream.pack, maxBytes: 10_000_000 });
  await finished(stream.sink);
  return { tree: await stream.tree, quarantine: await taken };
}

beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'maestro-git-'));
  repo = path.join(root, 'lane', 'repo');
  keep = path.join(root, 'keep');
  mirror = await ensureMirror(path.join(root, 'mirrors'), 42);
  const seed = path.join(root, 'seed');
  execFileSync('git', ['init', '-q', seed]);
  writeFileSync(path.join(seed, 'a.txt'), 'one\n');
  writeFileSync(path.join(seed, '.gitignore'), 'deps/\n');
  sh(seed, 'git', 'add', '-A');
  sh(seed, 'git', 'commit', '-qm', 'seed');
  base = sh(seed, 'git', 'rev-parse', 'HEAD');
  sh(seed, 'git', 'push', '-q', mirror.gitDir, 'HEAD:refs/maestro/upstream/main');
  execFileSync('mkdir', ['-p', path.join(root, 'lane')]);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a lane', () => {
  it('is brought to a commit, keeps ignored files and drops the rest', async () => {
    await prepare(base);
    execFileSync('mkdir', [path.join(repo, 'deps')]);
    writeFileSync(path.join(repo, 'deps', 'x'), 'kept');
    writeFileSync(path.join(repo, 'stray'), 'dropped');
    writeFileSync(path.join(repo, 'a.txt'), 'changed\n');

    await prepare(base);

    expect(existsSync(path.join(repo, 'deps', 'x'))).toBe(true);
    expect(existsSync(path.join(repo, 'stray'))).toBe(false);
    expect(readFileSync(path.join(repo, 'a.txt'), 'utf8')).toBe('one\n');
    expect(sh(repo, 'git', 'branch', '--show-current')).toBe('maestro/x');
  });

  it('is made anew when the agent broke its repository', async () => {
    await prepare(base);
    rmSync(path.join(repo, '.git', 'HEAD'));
    await prepare(base);
    expect(sh(repo, 'git', 'rev-parse', 'HEAD')).toBe(base);
  });

  it.each([
    ['as the agent left it', () => undefined],
    ['when the agent removed .git', () => rmSync(path.join(repo, '.git'), { recursive: true })],
    ['when the agent committed by itself', () => sh(repo, 'git', 'commit', '-qam', 'mine')],
    [
      'when the agent staged and installed a filter',
      () => {
        sh(repo, 'git', 'config', 'filter.evil.clean', `touch ${root}/pwned; cat`);
        writeFileSync(path.join(root, 'attributes'), '');
        sh(repo, 'git', 'add', 'new.txt');
      },
    ],
    [
      'when the index lies about a file',
      () => {
        writeFileSync(path.join(repo, 'a.txt'), 'sly\n');
        sh(repo, 'git', 'add', 'a.txt');
        sh(repo, 'git', 'update-index', '--assume-unchanged', 'a.txt');
        writeFileSync(path.join(repo, 'a.txt'), 'two\n');
      },
    ],
  ])('gives its work %s', async (_name, spoil) => {
    await prepare(base);
    writeFileSync(path.join(repo, 'a.txt'), 'two\n');
    writeFileSync(path.join(repo, 'new.txt'), 'new\n');
    spoil();

    const work = await capture(base);
    await using held = work.quarantine;

    expect(await hasObject(mirror, work.tree)).toBe(false);
    expect(await assertConnected(mirror, { tree: work.tree, base, bytes: 1_000 }, held.env)).toEqual(new Set());
    const changes = await differences(mirror, base, work.tree, held.env);
    expect(changes.map((change) => [change.status, change.path])).toEqual([
      ['modified', 'a.txt'],
      ['added', 'new.txt'],
    ]);
    const [, added] = changes;
    expect(await sizesOf(mirror, [added!.oid, '1'.repeat(40)], held.env)).toEqual(new Map([[added!.oid, 4]]));
    await held.accept();
    const taken = await entryAt(mirror, work.tree, 'a.txt');
    expect(Buffer.from(await readBlob(mirror, taken!.oid)).toString()).toBe('two\n');
  });

  it.each(['long after', 'in the same second as'])(
    'takes a file that was changed under its old size and mtime %s it was last looked at',
    async (when) => {
      const file = path.join(repo, 'a.txt');
      const pause = when === 'long after' ? 1_100 : 0;
      await prepare(base);
      writeFileSync(file, 'AAAA\n');
      const first = await capture(base);
      await first.quarantine.accept();
      await first.quarantine[Symbol.asyncDispose]();
      const author = { name: 'Maestro', email: 'm@example.com' };
      const facts = { tree: first.tree, parent: base, author, at: 1_700_000_000_000, message: 'First\n' };
      const commit = await writeCommit(mirror, 'refs/maestro/runs/x', facts);
      await prepare(commit);
      expect(readFileSync(file, 'utf8')).toBe('AAAA\n');
      const before = statSync(file);
      await delay(pause);
      writeFileSync(file, 'BBBB\n');
      utimesSync(file, before.atime, before.mtime);
      // The control: this one was left as it was, and only its ctime tells.
      const after = statSync(file);
      expect({ size: after.size, ino: after.ino, mtime: Math.floor(after.mtimeMs / 1000) }).toEqual({
        size: before.size,
        ino: before.ino,
        mtime: Math.floor(before.mtimeMs / 1000),
      });

      const second = await capture(commit);
      await using held = second.quarantine;

      const [change] = await differences(mirror, commit, second.tree, held.env);
      expect(Buffer.from(await readBlob(mirror, change?.oid ?? '', held.env)).toString()).toBe('BBBB\n');
    },
  );

  it('does not believe a file of a lane nobody knows, which an agent made look old in this very second', async () => {
    const file = path.join(repo, 'a.txt');
    const long = new Date('2001-01-01T00:00:00Z');
    await prepare(base);
    // As when the keeper was lost: the index is made from what lies there.
    rmSync(keep, { recursive: true });
    // All that follows has to be in one second.
    await delay(1_010 - (Date.now() % 1_000));
    utimesSync(file, long, long);
    await (await capture(base)).quarantine[Symbol.asyncDispose]();
    writeFileSync(file, 'two\n');
    utimesSync(file, long, long);

    const work = await capture(base);
    await using held = work.quarantine;

    const [change] = await differences(mirror, base, work.tree, held.env);
    expect(change?.path).toBe('a.txt');
  });

  it('gives its work although git was killed while it took it before', async () => {
    await prepare(base);
    writeFileSync(path.join(repo, 'new.txt'), 'new\n');
    writeFileSync(path.join(keep, 'index.next'), 'half an ind');
    writeFileSync(path.join(keep, 'index.next.lock'), '');
    symlinkSync(path.join(root, 'nowhere'), `${repo}.capture`);

    const work = await capture(base);
    await using held = work.quarantine;

    expect((await differences(mirror, base, work.tree, held.env)).map((change) => change.path)).toEqual(['new.txt']);
  });

  it('runs nothing of what the agent set up in its repository, in its files or in a repository inside', async () => {
    await prepare(base);
    const marks = path.join(root, 'marks');
    execFileSync('mkdir', [marks]);
    const set = (at: string): void => {
      const mark = (name: string): string => path.join(root, `${name}.sh`);
      for (const name of ['fsmonitor', 'clean', 'smudge', 'hook', 'diff']) {
        writeFileSync(
          mark(name),
          `#!/bin/sh\ntouch ${marks}/${name}-${path.basename(at)}\ncat 2>/dev/null </dev/null\n`,
        );
        chmodSync(mark(name), 0o755);
      }
      writeFileSync(path.join(at, '.gitattributes'), '* filter=evil diff=evil\n');
      sh(at, 'git', 'config', 'core.fsmonitor', mark('fsmonitor'));
      sh(at, 'git', 'config', 'filter.evil.clean', mark('clean'));
      sh(at, 'git', 'config', 'filter.evil.smudge', mark('smudge'));
      sh(at, 'git', 'config', 'diff.evil.textconv', mark('diff'));
      sh(at, 'git', 'config', 'core.hooksPath', root);
    };
    const inner = path.join(repo, 'inner');
    execFileSync('mkdir', [inner]);
    sh(inner, 'git', 'init', '-q');
    writeFileSync(path.join(inner, 'f'), 'x');
    sh(inner, 'git', 'add', 'f');
    sh(inner, 'git', 'commit', '-qm', 'inner');
    set(repo);
    set(inner);
    writeFileSync(path.join(inner, 'f'), 'y');
    writeFileSync(path.join(repo, 'a.txt'), 'two\n');

    const taken = await capture(base);
    const again = await capture(base);
    await using held = again.quarantine;
    const changes = await differences(mirror, base, again.tree, held.env);
    await taken.quarantine[Symbol.asyncDispose]();
    await prepare(base);
    expect(changes.map(({ path: at, mode }) => [at, mode])).toEqual([
      ['.gitattributes', '100644'],
      ['a.txt', '100644'],
      ['inner', '160000'],
    ]);
    expect(readdirSync(marks)).toEqual([]);
    expect(existsSync(inner)).toBe(false);

    // The control: git in such a repository does run them.
    set(repo);
    writeFileSync(path.join(repo, 'a.txt'), 'three\n');
    sh(repo, 'git', 'status');
    expect(readdirSync(marks)).toContain('fsmonitor-repo');
    try {
      sh(repo, 'git', 'add', '-A');
    } catch {}
    expect(readdirSync(marks)).toContain('clean-repo');
  });

  it('is mended when the working copy was made a link to elsewhere, which is left alone', async () => {
    await prepare(base);
    const elsewhere = path.join(root, 'elsewhere');
    execFileSync('mkdir', [elsewhere]);
    writeFileSync(path.join(elsewhere, 'mine'), 'mine');
    rmSync(repo, { recursive: true });
    symlinkSync(elsewhere, repo);
    const [command, ...args] = captureCommand({ repo, mirror: mirror.gitDir, keep, tree: undefined, commit: base });
    expect(await execa(command!, args, { reject: false })).toMatchObject({ exitCode: 1, stdout: '' });
    await prepare(base);
    expect(readdirSync(elsewhere)).toEqual(['mine']);
    expect(readFileSync(path.join(repo, 'a.txt'), 'utf8')).toBe('one\n');
  });

  it('comes through directories that were made unwritable, and what was kept being lost', async () => {
    await prepare(base);
    execFileSync('mkdir', ['-p', path.join(repo, 'shut', 'deep')]);
    writeFileSync(path.join(repo, 'shut', 'deep', 'f'), 'x');
    chmodSync(path.join(repo, 'shut', 'deep'), 0o500);
    writeFileSync(path.join(repo, 'a.txt'), 'two\n');
    rmSync(keep, { recursive: true });
    await prepare(base);
    expect(readFileSync(path.join(repo, 'a.txt'), 'utf8')).toBe('one\n');
    expect(existsSync(path.join(repo, 'shut'))).toBe(false);
  });

  it('gives the base tree when nothing changed', async () => {
    await prepare(base);
    const work = await capture(base);
    await using held = work.quarantine;
    expect(work.tree).toBe(await treeOf(mirror, base));
    expect(await differences(mirror, base, work.tree, held.env)).toEqual([]);
  });

  it('refuses output that does not begin with a tree id', async () => {
    const stream = captureStream();
    stream.pack.on('error', () => undefined);
    stream.sink.end('fatal: not a repository\n');
    await expect(stream.tree).rejects.toThrow('printed no tree id');
  });
});
