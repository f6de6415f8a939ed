import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesBelow, lintCommand } from '../../src/cli/lint.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'maestro-lint-'));
});
afterAll(() => rm(folder, { recursive: true }));

let repositories = 0;

/** Runs the command in a repository of its own that holds these files. */
async function lint(files: Readonly<Record<string, string | Buffer>>, named: readonly string[] = [], json = false) {
  repositories += 1;
  const root = path.join(folder, String(repositories));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }
  const said = { out: '', error: '' };
  const code = await lintCommand({
    files: named,
    json,
    providers: ['claude-code', 'codex'],
    read: (file) => readFile(path.join(root, file)),
    list: async (directory) => (await filesBelow(path.join(root, directory))).map((file) => path.relative(root, file)),
    write: { out: (text) => void (said.out += text), error: (text) => void (said.error += text) },
  });
  return { code, ...said };
}

const FILE = '.github/maestro.yml';
const PLAYBOOK = '.maestro/playbooks/deep/one.md';

describe('maestro lint', () => {
  it('looks at all that is read of a repository, and says so when nothing is wrong', async () => {
    const sound = { [FILE]: 'verify: npm test\n', [PLAYBOOK]: '- [ ] a\n', 'notes.md': 'no task' };
    expect(await lint(sound)).toEqual({ code: 0, out: '2 files, 0 problems\n', error: '' });
    const { code, out } = await lint({ 'notes.md': 'no task' });
    expect([code, out]).toEqual([0, expect.stringContaining('There is no .github/maestro.yml') as string]);
  });

  it('names file, line and column of each problem, and what to write instead', async () => {
    const { code, out } = await lint({ [FILE]: 'effort: low\nverfiy: a\n', [PLAYBOOK]: '- [] a\n' });
    expect(code).toBe(2);
    expect(out).toContain(`${FILE}:2:1: \`verfiy\` is not a setting of \`${FILE}\`.\n    Did you mean \`verify\`?`);
    expect(out).toContain(`${PLAYBOOK}:1:`);
    expect(out).toContain('2 files, 2 problems');
  });

  it('prints one JSON document', async () => {
    const { code, out } = await lint({ [FILE]: 'verfiy: a\n' }, [FILE], true);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ files: [{ file: FILE, problems: [{ line: 1, column: 1 }] }] });
  });

  it('knows which agents there are', async () => {
    const { out } = await lint({ [FILE]: 'effort: low\nprovider: [codex, cluade]\n' });
    expect(out).toContain(`${FILE}:2:1: There is no agent called \`cluade\``);
    expect((await lint({ [FILE]: 'provider: [codex, claude-code]\n' })).code).toBe(0);
  });

  it('finds a file of defaults under a name that is not read', async () => {
    const { code, out } = await lint({ '.github/maestro.yaml': 'verify: npm test\n' });
    expect([code, out]).toEqual([2, expect.stringContaining(`Call it ${FILE}.`) as string]);
  });

  it('cannot check what is not there, is no text, or is something else', async () => {
    const files = { 'a.txt': 'x', 'b.md': Buffer.from([0, 0, 0, 0, 1]), [FILE]: '' };
    const { code, error } = await lint(files, ['a.txt', 'b.md', 'c.md', FILE]);
    expect(code).toBe(1);
    expect(error).toContain('Cannot check a.txt: it is neither');
    expect(error).toContain('Cannot check b.md: it is a binary file');
    expect(error).toContain('Cannot check c.md: there is no such file');
    expect(error).not.toContain(FILE + ':');
  });
});
