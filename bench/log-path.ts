import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Docker from 'dockerode';
import { engineAt } from '../src/runners/docker/engine-address.ts';
import type { Bench } from './figure.ts';
import { openInstallation, playbookOf } from './installation.ts';
import { median } from './statistics.ts';

/** What an agent prints, from its container into the session's log and to a live subscriber, and the memory that takes. */
export const log: Bench = async ({ quick, components, say }) => {
  await using installation = await openInstallation({
    components,
    runner: 'docker',
    workerScript: join(import.meta.dirname, 'log-worker.ts'),
  });
  const repository = await installation.repository('loud', { 'README.md': '# Loud\n' });
  const size = '200MB';
  const rounds = quick ? 1 : 3;
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    say(`${size}, round ${round + 1} of ${rounds}`);
    bare.push(await bareRate(await components.dockerHost(), await components.agentImage(), size));
    ours.push((await heardRate(size, `loud-${round}`)).rate);
  }
  bare.push(await bareRate(await components.dockerHost(), await components.agentImage(), size));
  const most = quick ? size : '2GB';
  if (!quick) say(most);
  const { rssMb } = quick ? await lastHeard() : await heardRate(most, 'flood');
  return [
    {
      name: 'log path: container → file → subscriber',
      ours: median(ours),
      baseline: median(bare),
      unit: 'lines/s',
      target: { least: 0.5 },
      note: `${size} of JSON lines of 1 kB, each decoded, written to the session's log and handed to a subscriber; baseline: the same output through dockerode's demux and readline, nothing else`,
    },
    {
      name: `worker memory at its highest, ${most} printed`,
      ours: rssMb,
      baseline: undefined,
      unit: 'MB',
      target: { most: 300 },
      note: 'highest resident size of the worker process since its start',
    },
  ];

  async function lastHeard(): Promise<{ readonly rate: number; readonly rssMb: number }> {
    for (const until = Date.now() + 10_000; Date.now() < until; await pause(50)) {
      const line = installation.worker().said('session heard').at(-1);
      if (line !== undefined)
        return { rate: Number(line['heard']) / Number(line['seconds']), rssMb: Number(line['rssMb']) };
    }
    throw new Error('the subscriber heard nothing');
  }

  async function heardRate(bytes: string, name: string): Promise<{ readonly rate: number; readonly rssMb: number }> {
    const text = playbookOf(name, [`Talk \`scripted: spew ${bytes} lines\``]);
    await installation.settled(await installation.start(repository, name, text));
    return await lastHeard();
  }
};

/** Lines a second of the same output by the simplest means, first line to last. */
async function bareRate(dockerHost: string, image: string, bytes: string): Promise<number> {
  const docker = new Docker(engineAt(dockerHost));
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: [
      '/bin/sh',
      '-c',
      `printf '# Task\\nTalk\\n\\nscripted: spew ${bytes} lines\\n' | node /opt/maestro/scripted-agent.mjs`,
    ],
    Cmd: [],
    Labels: { 'maestro-bench': '1' },
    AttachStdout: true,
    HostConfig: { NetworkMode: 'none', Init: true, NanoCpus: 2e9, LogConfig: { Type: 'none', Config: {} } },
  });
  try {
    const stream = await container.attach({ stream: true, hijack: true, stdout: true });
    const stdout = new PassThrough();
    docker.modem.demuxStream(stream, stdout, new PassThrough().resume());
    stream.once('end', () => stdout.end());
    let lines = 0;
    let first = 0;
    const reading = (async () => {
      for await (const line of createInterface({ input: stdout })) {
        if (lines === 0) first = performance.now();
        if (line !== '') lines += 1;
      }
      return (performance.now() - first) / 1000;
    })();
    await container.start();
    await container.wait();
    return lines / (await reading);
  } finally {
    await container.remove({ force: true, v: true });
  }
}
