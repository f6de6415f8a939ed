import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startModelEndpoint } from '../../local-model/server.ts';
import { createScripted } from '../../src/providers/scripted/provider.ts';
import { grant, startGateway } from '../gateway/world.ts';
import { replay, type Replay } from './transcripts.ts';

const AGENT = fileURLToPath(new URL('../../docker/agent-image/scripted-agent.mjs', import.meta.url));
const provider = createScripted(AGENT);

let repo = '';

beforeEach(async () => {
  repo = await mkdtemp(join(tmpdir(), 'scripted-'));
  const directory = repo;
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
});

const file = (path: string): Promise<string> => readFile(join(repo, path), 'utf8');
const git = (...args: string[]): string => execFileSync('git', args, { cwd: repo, encoding: 'utf8' });

/** Runs the agent on a task as the runner would, and its output through the codec. */
async function run(
  text: string,
  options: { title?: string; gatewayUrl?: string; key?: string } = {},
): Promise<Replay & { code: number | null }> {
  const { title = 'A task', gatewayUrl = 'http://127.0.0.1:9', key = 'placeholder' } = options;
  const prompt = `# Task\n${title}\n\n${text}\n\n# Where you are\n\`scripted: write elsewhere.txt no\`\n`;
  const command = provider.command({
    prompt,
    model: undefined,
    effort: undefined,
    conversation: 'c-1',
    cwd: repo,
    gatewayUrl,
    placeholderKey: key,
  });
  const child = spawn(process.execPath, command.argv.slice(1), {
    cwd: repo,
    env: { PATH: process.env['PATH'], HOME: repo, ...command.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
  child.stdin.end(command.stdin);
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return { ...replay(provider, output.split('\n'), code ?? undefined), code };
}

describe('without directives', () => {
  test.each([
    ['Add a test for login', 'test/add-test-login.test.js', 'test("Add a test for login"'],
    [
      'Write the migration for invoices',
      'migrations/write-migration-invoices.sql',
      'CREATE TABLE write_migration_invoices',
    ],
    ['Document the API', 'docs/document-api.md', '## Document the API'],
    ['Add an export endpoint', 'src/add-export-endpoint.js', 'export function addExportEndpoint'],
    ['日本語', 'src/task.js', 'export function task'],
  ])('%s: makes the one change %s', async (title, path, text) => {
    const { conclusion, events } = await run(title, { title });
    expect(conclusion).toEqual({ kind: 'finished', summary: `Wrote ${path}.` });
    expect(await file(path)).toContain(text);
    expect((await readdir(repo)).filter((name) => name !== '.scripted')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'unknown')).toEqual([]);
    expect(events.length).toBeGreaterThan(8);
  });

  test('what it writes is a program that works', async () => {
    await run('', { title: 'Add a test: "quotes" and */ comments' });
    await run('', { title: 'Add "quotes" and */ comments' });
    for (const path of ['test/add-test-quotes-comments.test.js', 'src/add-quotes-comments.js']) {
      expect(() => execFileSync(process.execPath, ['--check', path], { cwd: repo, stdio: 'pipe' })).not.toThrow();
    }
  });
});

describe('directives', () => {
  test('are obeyed in order, as lines and as inline code, in the task’s own section only', async () => {
    const { conclusion } = await run(
      'Do `scripted: write a.txt one\\ntwo` then `scripted: append a.txt three`.\n- [ ] scripted: write b/c.txt x\nscripted: delete b/c.txt\n  scripted: symlink l ../out\nscripted: mode a.txt 755',
    );
    expect(conclusion).toEqual({ kind: 'finished', summary: 'Followed 6 directives.' });
    expect(await file('a.txt')).toBe('one\ntwo\nthree\n');
    expect(await readdir(join(repo, 'b'))).toEqual([]);
    expect(await readlink(join(repo, 'l'))).toBe('../out');
    expect((await stat(join(repo, 'a.txt'))).mode & 0o777).toBe(0o755);
    expect(existsSync(join(repo, 'elsewhere.txt'))).toBe(false);
  });

  test('in a title that the text repeats are obeyed once', async () => {
    await run('scripted: append a.txt x', { title: 'scripted: append a.txt x' });
    expect(await file('a.txt')).toBe('x\n');
  });

  test('in a title alone are obeyed', async () => {
    await run('', { title: 'scripted: append a.txt x' });
    expect(await file('a.txt')).toBe('x\n');
  });

  test('that fail or are unknown are reported, and the next is obeyed', async () => {
    const { events, conclusion } = await run('scripted: delete nothing-there\nscripted: dance\nscripted: write a b');
    expect(events).toContainEqual(expect.objectContaining({ type: 'tool-result', isError: true }));
    expect(events).toContainEqual({ type: 'text', text: 'I do not know the directive "dance".' });
    expect(conclusion.kind).toBe('finished');
  });

  test('meddle with git: commit, config, hook, gitlink, and the repository itself', async () => {
    git('init', '-q');
    await run(
      'scripted: write a b\nscripted: commit My own commit\nscripted: git-config core.fsmonitor touch /x\nscripted: hook pre-push exit 0\nscripted: gitlink sub',
    );
    expect(git('log', '--format=%s').trim()).toBe('My own commit');
    expect(git('config', 'core.fsmonitor').trim()).toBe('touch /x');
    expect(await file('.git/hooks/pre-push')).toContain('exit 0');
    expect(existsSync(join(repo, 'sub/.git'))).toBe(true);
    await run('scripted: rm-git');
    expect(existsSync(join(repo, '.git'))).toBe(false);
  });

  test('tick the boxes of every playbook', async () => {
    await run('scripted: write .maestro/playbooks/p.md - [ ] one\\n- [x] two\\n- [ ] three\nscripted: tick');
    expect(await file('.maestro/playbooks/p.md')).toBe('- [x] one\n- [x] two\n- [x] three\n');
  });

  test.each([
    ['exit 3', 3, 'crash'],
    ['exit 0', 0, 'crash'],
    ['no-result', 0, 'crash'],
    ['crash', null, 'crash'],
    ['fail auth', 1, 'auth'],
    ['fail quota 2h', 1, 'quota'],
    ['fail overloaded', 1, 'overloaded'],
  ])('%s ends it as told', async (directive, code, kind) => {
    const ended = await run(`scripted: ${directive}\nscripted: write a b`);
    expect(ended.code).toBe(code);
    expect(ended.conclusion).toMatchObject({ kind: 'failed', failure: { kind } });
    expect(existsSync(join(repo, 'a'))).toBe(false);
  });

  test('fail quota says when to come back', async () => {
    const { conclusion } = await run('scripted: fail quota 2h');
    const resetAt = conclusion.kind === 'failed' ? (conclusion.failure.resetAt ?? 0) : 0;
    expect(resetAt - Date.now()).toBeGreaterThan(7_100_000);
    expect(resetAt - Date.now()).toBeLessThanOrEqual(7_200_000);
  });

  test.each(['lines', 'binary', 'noline'])('spew prints that much (%s) and goes on', async (shape) => {
    const { events, conclusion } = await run(`scripted: spew 200kB ${shape}`);
    expect(events.length).toBeGreaterThan(shape === 'lines' ? 150 : 3);
    expect(conclusion.kind).toBe('finished');
  });

  test('env prints names and no values', async () => {
    const { events } = await run('scripted: env', { key: 'secret-placeholder' });
    const printed = JSON.stringify(events);
    expect(printed).toContain('ANTHROPIC_API_KEY');
    expect(printed).not.toContain('secret-placeholder');
  });

  test('model and fetch go by the gateway', async () => {
    const model = await startModelEndpoint({ port: 0, script: [{ text: 'Hi.' }], keys: ['real'] });
    onTestFinished(() => model[Symbol.asyncDispose]());
    const gateway = await startGateway();
    const endpoint = { protocol: 'anthropic', upstream: model.url, key: 'real' } as const;
    const wire = await gateway.open(grant({ model: endpoint }));
    const { events } = await run(
      'scripted: model\nscripted: fetch https://evil.com/\nscripted: fetch http://evil.com/',
      {
        gatewayUrl: wire.url!,
        key: wire.placeholder,
      },
    );
    const outputs = events.flatMap((event) => (event.type === 'tool-result' ? [event.output.slice(0, 40)] : []));
    expect(outputs).toEqual([
      expect.stringMatching(/^status 200 /),
      'refused by the proxy with status 403',
      'status 403',
    ]);
    expect(wire.blocked()).toEqual([{ host: 'evil.com', count: 2 }]);
    expect(wire.usage().outputTokens).toBe(40);
  });
});
