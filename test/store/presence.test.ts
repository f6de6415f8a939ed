import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openPresence } from '../../src/store/presence.ts';

const MODULE = path.join(import.meta.dirname, '../../src/store/presence.ts');

async function home(): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'maestro-presence-'));
  onTestFinished(async () => await rm(root, { recursive: true, force: true }));
  return root;
}

/** A worker in a process of its own, which has said that it is there. */
async function worker(root: string, name: string): Promise<{ kill(): Promise<void> }> {
  const source = `import { openPresence } from ${JSON.stringify(MODULE)};
    globalThis.presence = openPresence(${JSON.stringify(root)}, ${JSON.stringify(name)});
    console.log('there');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  onTestFinished(kill);
  return { kill };
}

it('tells of a worker that was killed, once it is dead and until it is forgotten', async () => {
  const root = await home();
  const other = await worker(root, 'other/1');
  const presence = openPresence(root, 'here');
  onTestFinished(() => presence.leave());
  expect(presence.departed()).toEqual([]);

  await other.kill();

  expect(presence.departed()).toEqual(['other/1']);
  expect(presence.departed()).toEqual(['other/1']);
  presence.forget('other/1');
  expect(presence.departed()).toEqual([]);
});

it('tells a worker of its own earlier life, unless that took its leave', async () => {
  const root = await home();
  await (await worker(root, 'here')).kill();
  const second = openPresence(root, 'here');
  expect(second.departed()).toEqual(['here']);
  second.forget('here');
  expect(second.departed()).toEqual([]);
  second.leave();

  const third = openPresence(root, 'here');
  expect(third.departed()).toEqual([]);
  third.leave();
});

it('lets no two workers of one name live, and says what to do', async () => {
  const root = await home();
  await worker(root, 'here');
  expect(() => openPresence(root, 'here')).toThrow('give one another MAESTRO_WORKER');
});
