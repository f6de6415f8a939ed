import { setTimeout as pause } from 'node:timers/promises';
import type { Bench } from './figure.ts';
import { openInstallation, playbookOf } from './installation.ts';
import { median } from './statistics.ts';

/** A worker killed in the middle of a task and started again at once, with the settings it has by default. */
export const recovery: Bench = async ({ quick, components, say }) => {
  await using installation = await openInstallation({ components, runner: 'docker' });
  const repository = await installation.repository('killed', { 'README.md': '# Killed\n' });
  const trials = quick ? 2 : 5;
  const times: number[] = [];
  for (let trial = 0; trial < trials; trial += 1) {
    const name = `trial-${trial}`;
    const tasks = [1, 2].map((at) => `Work ${at} \`scripted: sleep 3s\` \`scripted: append ${name}.txt ${at}\``);
    const id = await installation.start(repository, name, playbookOf(name, tasks));
    while ((await installation.store.sessionsOf(id)).length === 0) await pause(50);
    await pause(500 + trial * 700);
    const before = (await installation.store.auditOf(id)).length;
    await installation.worker().kill();
    const killed = performance.now();
    installation.startWorker();
    // The next owner's first entry in the audit log: it has taken the run up.
    while ((await installation.store.auditOf(id)).length <= before) await pause(50);
    times.push((performance.now() - killed) / 1000);
    say(`trial ${trial + 1} of ${trials}: ${times.at(-1)?.toFixed(1)} s`);
    await installation.settled(id);
  }
  const note = `kill -9 of the worker while its agent works, started again at once; until the run is taken up again, ${trials} trials`;
  return [
    {
      name: 'recovery after kill -9: median',
      ours: median(times),
      baseline: undefined,
      unit: 's',
      target: { most: 15 },
      note,
    },
    {
      name: 'recovery after kill -9: worst',
      ours: Math.max(...times),
      baseline: undefined,
      unit: 's',
      target: { most: 60 },
      note,
    },
  ];
};
