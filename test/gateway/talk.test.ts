import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Spoken } from '../../src/domain/talk.ts';
import type { Wire } from '../../src/gateway/gateway.ts';
import { ask, grant, raw, startGateway } from './world.ts';

const COMMAND = fileURLToPath(new URL('../../docker/agent-image/maestro.sh', import.meta.url));

/** A wire whose listener remembers what was said, and takes all of it but `no`. */
async function listen(): Promise<{ readonly wire: Wire; readonly said: readonly Spoken[] }> {
  const said: Spoken[] = [];
  const gateway = await startGateway();
  const wire = await gateway.open(
    grant({
      onWord: (spoken) => {
        said.push(spoken);
        return spoken.fields[0] === 'no' ? { ok: false, text: 'Say yes.' } : { ok: true, text: 'Recorded.' };
      },
    }),
  );
  return { wire, said };
}

describe('the route', () => {
  test('hands on what is said with the session’s own key, and nothing else', async () => {
    const { wire, said } = await listen();
    const headers = { authorization: `Bearer ${wire.placeholder}` };
    await expect(
      ask(wire, { target: '/maestro/ask', headers, body: 'Which?\u001eThis\u001eThät' }),
    ).resolves.toMatchObject({
      status: 200,
      body: 'Recorded.\n',
    });
    expect(said).toEqual([{ verb: 'ask', fields: ['Which?', 'This', 'Thät'] }]);
    await expect(ask(wire, { target: '/maestro/note', headers, body: 'no' })).resolves.toMatchObject({
      status: 422,
      body: 'Say yes.\n',
    });
    await expect(ask(wire, { target: '/maestro/ask', body: 'Which?' })).resolves.toMatchObject({ status: 401 });
    await expect(
      ask(wire, { target: '/maestro/ask', headers: { authorization: 'Bearer maestro-placeholder-x' }, body: 'Which?' }),
    ).resolves.toMatchObject({ status: 401 });
    for (const target of ['/maestro/merge', '/maestro/', '/maestro/ask?x', '/maestro/../ask'])
      await expect(ask(wire, { target, headers, body: 'x' })).resolves.toMatchObject({ status: 404 });
    await expect(ask(wire, { method: 'GET', target: '/maestro/ask', headers })).resolves.toMatchObject({ status: 404 });
    expect(said).toHaveLength(2);
  });

  test('takes 64 kB at once and not more', async () => {
    const { wire, said } = await listen();
    const headers = { authorization: `Bearer ${wire.placeholder}` };
    const most = 'x'.repeat(64 * 1024);
    await expect(ask(wire, { target: '/maestro/note', headers, body: most })).resolves.toMatchObject({ status: 200 });
    const head = `POST /maestro/note HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${wire.placeholder}\r\ncontent-length: 100000\r\n\r\n`;
    await expect(raw(wire, `${head}${most}y`)).resolves.toMatch(/^HTTP\/1\.1 413 /);
    expect(said).toHaveLength(1);
  });

  test('is not there where nobody listens', async () => {
    const wire = await (await startGateway()).open(grant());
    const headers = { authorization: `Bearer ${wire.placeholder}` };
    await expect(ask(wire, { target: '/maestro/ask', headers, body: 'x' })).resolves.toMatchObject({ status: 404 });
  });
});

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command as a session has it, with no other programs than those of the shell and `tools`. */
async function command(
  wire: Wire,
  args: readonly string[],
  of: { tools: readonly string[]; input?: string },
): Promise<Said> {
  const directory = await mkdtemp(join(tmpdir(), 'command-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await mkdir(join(directory, 'bin'));
  for (const tool of ['cat', 'wc', 'tr', 'sed', ...of.tools])
    await symlink(tool === 'node' ? process.execPath : await which(tool), join(directory, 'bin', tool));
  const env = { PATH: join(directory, 'bin'), MAESTRO_URL: wire.url ?? '', MAESTRO_KEY: wire.placeholder };
  return await new Promise((resolve) => {
    const child = execFile('/bin/sh', [COMMAND, ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
    child.stdin?.end(of.input ?? '');
  });
}

function which(tool: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', `command -v ${tool}`], (error, out) => {
      if (error === null) resolve(out.trim());
      else reject(new Error(`${tool} is not on this machine`));
    });
  });
}

describe.each(['curl', 'node', 'socat'])('the command with nothing but %s', (tool) => {
  const tools = [tool];

  test('says it, and what it was answered', async () => {
    const { wire, said } = await listen();
    const odd = `It's "q" $(id) \`x\` \\n %s ü\n\nand a second line`;
    await expect(command(wire, ['ask', odd, '--option', 'A b', "--option=it's"], { tools })).resolves.toEqual({
      code: 0,
      out: 'Recorded.\n',
      err: '',
    });
    await command(wire, ['replan', 'Why not', 'this'], { tools, input: '- [ ] One\n- [ ] Two\n' });
    await command(wire, ['done', '-'], { tools, input: 'From\ninput' });
    await command(wire, ['note', '--', '--force is gone'], { tools });
    expect(said).toEqual([
      { verb: 'ask', fields: [odd, 'A b', "it's"] },
      { verb: 'replan', fields: ['Why not this', '- [ ] One\n- [ ] Two'] },
      { verb: 'done', fields: ['From\ninput'] },
      { verb: 'note', fields: ['--force is gone'] },
    ]);
  });

  test('fails with what to say instead', async () => {
    const { wire } = await listen();
    await expect(command(wire, ['note', 'no'], { tools })).resolves.toEqual({
      code: 1,
      out: '',
      err: 'maestro: Say yes.\n',
    });
    await wire[Symbol.asyncDispose]();
    await expect(command(wire, ['note', 'yes'], { tools })).resolves.toMatchObject({
      code: 1,
      err: expect.stringContaining('Maestro did not answer'),
    });
  });
});

test('the command explains itself, and refuses what it does not know', async () => {
  const { wire, said } = await listen();
  const tools = ['curl'];
  await expect(command(wire, ['help'], { tools })).resolves.toMatchObject({
    code: 0,
    out: expect.stringContaining('maestro ask "QUESTION"'),
  });
  await expect(command(wire, [], { tools })).resolves.toMatchObject({ code: 0 });
  await expect(command(wire, ['merge'], { tools })).resolves.toMatchObject({ code: 2 });
  await expect(command(wire, ['ask', '--force'], { tools })).resolves.toMatchObject({ code: 2 });
  await expect(command(wire, ['note', 'x', '--option', 'y'], { tools })).resolves.toMatchObject({ code: 2 });
  expect(said).toEqual([]);
});
