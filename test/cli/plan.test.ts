import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planCommand } from '../../src/cli/plan.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maestro-plan-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command on a file with `content`. */
async function plan(content: string | Uint8Array, json = false): Promise<{ code: number; out: string; error: string }> {
  const file = join(folder, 'playbook.md');
  await writeFile(file, content);
  return planFile(file, json);
}

async function planFile(file: string, json = false): Promise<{ code: number; out: string; error: string }> {
  const said = { out: '', error: '' };
  const write = {
    out: (text: string) => void (said.out += text),
    error: (text: string) => void (said.error += text),
  };
  const code = await planCommand({ file, json, read: (path) => readFile(path), write });
  return { code, ...said };
}

const SOUND = '# Plan\n\n- [x] a\n- [ ] b\n  - [ ] c\n';

describe('maestro plan', () => {
  it('prints one JSON document', async () => {
    const { code, out, error } = await plan(SOUND, true);
    const { title, tasks, problems } = JSON.parse(out) as {
      title: string;
      tasks: Record<string, unknown>[];
      problems: unknown[];
    };

    expect({ code, error, title, problems }).toEqual({ code: 0, error: '', title: 'Plan', problems: [] });
    expect(tasks).toMatchObject([
      { title: 'a', line: 3, column: 3, checked: true, parent: null },
      { title: 'b', line: 4, column: 3, checked: false, parent: null },
      { title: 'c', line: 5, column: 5, checked: false, parent: tasks[1]?.['key'] },
    ]);
    expect(Object.keys(tasks[0] ?? {})).toEqual(['key', 'title', 'line', 'column', 'checked', 'parent']);
  });

  it('prints a table for people', async () => {
    const { code, out } = await plan(SOUND);

    expect(code).toBe(0);
    expect(out).toMatch(
      /^Plan: 2 tasks, 1 open\n {2} 3:3 {2}\S+ {2}\[x\] a\n {2} 4:3 {2}\S+ {2}\[ \] b\n {2} 5:5 {2}\S+ {4}\[ \] c\n$/,
    );
  });

  it('ends with 2 when there are problems, and says where', async () => {
    const { code, out } = await plan('---\nverfiy: x\n---\n-[ ] a\n');

    expect(code).toBe(2);
    expect(out).toContain('2 problems\n');
    expect(out).toContain('playbook.md:2:1: `verfiy` is not a setting of a playbook.\n    Did you mean `verify`?');
    expect(out).toContain('playbook.md:4:1: ');
  });

  it('points at bytes that are not UTF-8', async () => {
    const { code, out } = await plan(Buffer.concat([Buffer.from('- [ ] caf'), Buffer.from([0xe9])]), true);

    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ problems: [{ line: 1, column: 10 }] });
  });

  it.each([
    ['little end first', Buffer.from('\uFEFF- [ ] a\n', 'utf16le')],
    ['big end first', Buffer.from('\uFEFF- [ ] a\n', 'utf16le').swap16()],
    ['without a mark', Buffer.from('- [ ] a task\n', 'utf16le')],
  ])('says that a file is UTF-16: %s', async (_how, bytes) => {
    const { code, out } = await plan(bytes, true);

    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      tasks: [],
      problems: [{ line: 1, column: 1, fix: expect.stringContaining('UTF-8') }],
    });
  });

  it('ends with 1 and names what cannot be read', async () => {
    const missing = await planFile(join(folder, 'none.md'));
    const directory = await planFile(folder);
    const binary = await plan(Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 0, 1, 2, 3, 0, 0]));

    expect(missing).toMatchObject({ code: 1, out: '', error: expect.stringMatching(/none\.md.*no such file/) });
    expect(directory).toMatchObject({ code: 1, out: '', error: expect.stringContaining('directory') });
    expect(binary).toMatchObject({ code: 1, out: '', error: expect.stringMatching(/playbook\.md.*binary/) });
  });
});
