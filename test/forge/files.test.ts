import { expect, it } from 'vitest';
import { createTestClock, DEMO, reply, startScriptedGithub } from './scripted-github.ts';

const SHA = 'a'.repeat(40);

it('lists a directory that GitHub cuts short, directory by directory', async () => {
  const trees: Record<string, unknown> = {
    [SHA]: { truncated: false, tree: [{ path: '.maestro', type: 'tree', mode: '040000', sha: 'dir' }] },
    'dir?recursive=1': {
      truncated: true,
      tree: [{ path: 'a.md', type: 'blob', mode: '100644', sha: 'blob-a', size: 1 }],
    },
    dir: {
      truncated: false,
      tree: [
        { path: 'a.md', type: 'blob', mode: '100644', sha: 'blob-a', size: 1 },
        { path: 'link.md', type: 'blob', mode: '120000', sha: 'blob-l', size: 1 },
        { path: 'module', type: 'commit', mode: '160000', sha: 'commit' },
        { path: 'sub', type: 'tree', mode: '040000', sha: 'sub' },
      ],
    },
    'sub?recursive=1': {
      truncated: false,
      tree: [{ path: 'x/b.md', type: 'blob', mode: '100755', sha: 'blob-b', size: 2 }],
    },
  };
  await using github = await startScriptedGithub(({ path }) => trees[path.split('/git/trees/')[1] ?? '']);
  const forge = github.forge();

  expect(await forge.listFiles(DEMO, '.maestro', SHA)).toEqual([
    { path: '.maestro/a.md', blob: 'blob-a', size: 1 },
    { path: '.maestro/sub/x/b.md', blob: 'blob-b', size: 2 },
  ]);
  expect(await forge.listFiles(DEMO, '.github', SHA)).toEqual([]);
});

it.each([
  [{ type: 'file', size: 2_000_000, sha: 'b', content: '' }, '2000000 bytes'],
  [{ type: 'file', size: 2, sha: 'b', content: Buffer.from([0xc3, 0x28]).toString('base64') }, 'not UTF-8'],
])('does not read a file that is too large or no text', async (contents, words) => {
  await using github = await startScriptedGithub(({ path }) => (path.includes('/contents/') ? contents : undefined));

  await expect(github.forge().readFile(DEMO, 'a.md', SHA)).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining(words) as string,
  });
});

it('keeps a byte order mark, so that offsets in the text are offsets in the file', async () => {
  const content = Buffer.from('\uFEFFx', 'utf8').toString('base64');
  await using github = await startScriptedGithub(({ path }) =>
    path.includes('/contents/') ? { type: 'file', size: 4, sha: 'b', content } : undefined,
  );

  expect(await github.forge().readFile(DEMO, 'a.md', SHA)).toEqual({ text: '\uFEFFx', blob: 'b' });
});

it('reads times on a clock that is wrong by the difference to GitHub', async () => {
  const clock = createTestClock();
  clock.advance(-8 * 60_000);
  await using github = await startScriptedGithub(({ path }, response) => {
    if (!path.endsWith('/issues/3')) return undefined;
    const reset = String(Math.floor(Date.now() / 1000) + 60);
    return reply(response, 403, { message: 'limit' }, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset });
  });

  const error: unknown = await github
    .forge({ clock })
    .issue(DEMO, 3)
    .catch((error: unknown) => error);

  const wait = (error as { retryAt: number }).retryAt - clock.now();
  expect(wait).toBeGreaterThan(50_000);
  expect(wait).toBeLessThan(65_000);
});
