import type { Bench } from './figure.ts';
import { openInstallation, playbookOf } from './installation.ts';

/** Five runs side by side whose agents mostly wait, as agents do for their model, against one alone. */
export const waiting: Bench = async ({ quick, components, say }) => {
  await using installation = await openInstallation({ components, runner: 'docker' });
  const seconds = quick ? 8 : 20;
  const tasks = [1, 2].map((at) => `Wait ${at} \`scripted: sleep ${seconds}s\` \`scripted: append notes.txt ${at}\``);
  const repositories = await Promise.all(
    [1, 2, 3, 4, 5].map((at) => installation.repository(`quiet-${at}`, { 'README.md': '# Quiet\n' })),
  );
  const wall = async (names: readonly string[], playbook: string): Promise<number> => {
    const began = performance.now();
    await Promise.all(
      names.map(async (name, at) => {
        const file = `${playbook}-${at}`;
        await installation.settled(await installation.start(name, file, playbookOf(file, tasks)));
      }),
    );
    return performance.now() - began;
  };
  const alone: number[] = [];
  say('one alone, twice; five side by side between them');
  alone.push(await wall(repositories.slice(0, 1), 'first'));
  const together = await wall(repositories, 'together');
  alone.push(await wall(repositories.slice(1, 2), 'last'));
  return [
    {
      name: 'five runs side by side against one alone',
      ours: together,
      baseline: alone.reduce((sum, ms) => sum + ms, 0) / alone.length,
      unit: 'ms',
      target: { most: 1.3 },
      note: `from the push of the playbook to the last word; two tasks each whose agent waits ${seconds} s, in containers`,
    },
  ];
};
