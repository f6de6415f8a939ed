import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Script } from '../../../local-model/script.ts';
import { startModelEndpoint } from '../../../local-model/server.ts';
import type { Grant, Wire } from '../../../src/gateway/gateway.ts';
import { claudeCode } from '../../../src/providers/claude-code/provider.ts';
import { COMMANDS, createTalk, speaking } from '../../../src/workers/talk.ts';
import { grant, startGateway } from '../../gateway/world.ts';
import { replay, type Replay } from '../../providers/transcripts.ts';

const CLI = process.env['MAESTRO_TEST_CLAUDE'];
const KEY = 'real-key-which-nobody-may-see';

/** One conversation of the real Claude Code with the scripted model endpoint, through a wire of its own. */
async function converse(script: Script, parts: Partial<Grant> = {}) {
  const model = await startModelEndpoint({ port: 0, script, keys: [KEY] });
  onTestFinished(() => model[Symbol.asyncDispose]());
  const home = await mkdtemp(join(tmpdir(), 'claude-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const gateway = await startGateway();
  const wire = await gateway.open(grant({ ...parts, model: { protocol: 'anthropic', upstream: model.url, key: KEY } }));
  const { output, code } = await run(wire, home);
  const replayed: Replay = replay(claudeCode, output.split('\n'), code);
  return { ...replayed, output, wire, model, file: (path: string) => readFile(join(home, path), 'utf8') };
}

async function run(wire: Wire, home: string): Promise<{ readonly output: string; readonly code: number | undefined }> {
  const speech = await speaking(wire.url ?? '', wire);
  for (const [path, text] of Object.entries(speech.files)) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text, { mode: 0o700 });
  }
  const command = claudeCode.command({
    prompt: '# Task\nWrite hello.txt\n',
    model: 'claude-sonnet-4-5',
    effort: 'low',
    conversation: randomUUID(),
    cwd: home,
    gatewayUrl: wire.url ?? '',
    placeholderKey: wire.placeholder,
    mcpServers: Object.fromEntries([speech.server]),
  });
  const child = spawn(CLI ?? '', command.argv.slice(1), {
    cwd: home,
    env: { PATH: `${home}/${COMMANDS}:/usr/local/bin:/usr/bin:/bin`, HOME: home, ...speech.env, ...command.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(command.stdin);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { output, code: code ?? undefined };
}

describe.skipIf(CLI === undefined)(
  'the real Claude Code (skipped unless MAESTRO_TEST_CLAUDE holds the path of the CLI)',
  () => {
    test('writes a file through the gateway, which meters what Claude Code itself counts', async () => {
      const seen = await converse([
        { thinking: 'One file.', text: 'I will write it.', write: { path: 'hello.txt', content: 'hello\n' } },
        { bash: 'cat hello.txt' },
        { text: 'Done.' },
      ]);
      expect(seen.conclusion).toEqual({ kind: 'finished', summary: 'Done.' });
      await expect(seen.file('hello.txt')).resolves.toBe('hello\n');
      expect(seen.events.filter(({ type }) => type === 'unknown')).toEqual([]);
      expect(seen.events).toContainEqual({ type: 'usage', usage: seen.wire.usage() });
      expect(new Set(seen.model.requests.map(({ key }) => key))).toEqual(new Set([KEY]));
      expect(seen.output).not.toContain(KEY);
      expect(seen.wire.blocked()).toEqual([]);
    });

    test('says things to Maestro with its tools, and with the command in its shell', async () => {
      const talk = createTalk(60_000);
      const seen = await converse(
        [
          { tool: { name: 'mcp__maestro__note', input: { text: 'Mind the gap.' } } },
          { bash: 'maestro ask "Which colour?" --option red --option "light blue"; bash -lc "command -v maestro"' },
          { tool: { name: 'mcp__maestro__done', input: { summary: 'All of it.' } } },
          { text: 'Done.' },
        ],
        { onWord: talk.hear },
      );
      expect(seen.conclusion).toEqual({ kind: 'finished', summary: 'Done.' });
      expect(talk.words()).toEqual([
        { kind: 'note', text: 'Mind the gap.' },
        { kind: 'ask', text: 'Which colour?', options: ['red', 'light blue'] },
      ]);
      expect(seen.output).toContain('End your turn now.');
      expect(seen.output).toContain(`${COMMANDS}/maestro`);
      expect(seen.events.filter(({ type }) => type === 'unknown')).toEqual([]);
    });

    test('stops at once when its budget is spent', async () => {
      const seen = await converse([{ bash: 'true', repeat: true }], { budget: { costUsd: 0.01 } });
      expect(seen.conclusion.kind).toBe('failed');
      expect(seen.wire.exhausted()).toBe(true);
      expect(seen.model.requests).toHaveLength(3);
    });
  },
);
