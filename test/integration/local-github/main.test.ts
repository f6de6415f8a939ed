import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { local, mustGit, scratch } from './support.ts';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'local-github', 'main.ts');

/** Runs the program; `line` is its first line of output, `ended` its exit code and what it said on stderr. */
function run(...options: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  const line = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.includes('\n')) resolve(stdout);
    });
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, stderr }));
  return { child, line, ended };
}

it('prints one line with every setting, serves the seed, and stops when told', async () => {
  const seed = await scratch();
  await mkdir(join(seed, 'octo', 'app', 'src'), { recursive: true });
  await writeFile(join(seed, 'octo', 'app', 'src', 'a.txt'), 'hello\n');
  const { child, line, ended } = run('--seed', seed, '--webhook', 'http://127.0.0.1:9/hooks');
  const output = await line;
  expect(output.trimEnd().split('\n')).toHaveLength(1);
  const settings = JSON.parse(output) as Record<string, string> & {
    users: { login: string; token: string }[];
    repositories: { clone_url: string }[];
  };
  expect(settings).toMatchObject({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    GHE_HOST: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    GHE_PROTOCOL: 'http',
    APP_ID: expect.stringMatching(/^\d+$/),
    PRIVATE_KEY: expect.stringContaining('PRIVATE KEY'),
    WEBHOOK_SECRET: expect.stringMatching(/^.{20,}$/),
    installationId: expect.any(Number),
    repositories: [{ full_name: 'octo/app', id: expect.any(Number) }],
  });
  const clone = join(await scratch(), 'clone');
  await mustGit('/', 'clone', '--quiet', settings.repositories[0]?.clone_url ?? '', clone);
  expect(await mustGit(clone, 'show', 'HEAD:src/a.txt')).toBe('hello');
  child.kill('SIGTERM');
  expect((await ended).code).toBe(0);
});

it('says what is wrong with its arguments', async () => {
  const port = await run('--port', 'many').ended;
  expect(port).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--port must be a number from 0 to 65535, not "many".'),
  });
  const unknown = await run('--colour', 'red').ended;
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('--colour') });
  const seed = await run('--seed', '/no/such/directory').ended;
  expect(seed).toMatchObject({ code: 2, stderr: expect.stringContaining("--seed can't be read") });
});

it('says that a port is taken', async () => {
  const github = await local();
  const { port } = new URL(github.url);
  const taken = await run('--port', port).ended;
  expect(taken).toMatchObject({ code: 1, stderr: expect.stringContaining(`Port ${port} is taken`) });
});
