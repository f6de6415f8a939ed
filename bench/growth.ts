import type { Bench, Figure } from './figure.ts';
import { openInstallation, paces, playbookOf, type Installation } from './installation.ts';
import { stagesOf } from './stages.ts';
import { median } from './statistics.ts';

/** What a session's log holds at most; the rest is counted (`src/compose/worker-part.ts`). Bytes. */
const LOG_CAP = 50 * 1024 ** 2;

/** Whether a task costs the same late in a long run, and after a long log, as at its beginning. */
export const growth: Bench = async ({ quick, components, say }) => {
  await using installation = await openInstallation({ components, runner: 'local' });
  const repository = await installation.repository('long', { 'README.md': '# Long\n' });
  const count = quick ? 60 : 1_000;
  say(`a run of ${count} tasks`);
  const many = await paceOf(
    installation,
    repository,
    'many',
    Array.from({ length: count }, (_, at) => trivial(at)),
  );
  say(`stages: ${stagesOf(installation.worker().said('stage done'))}`);
  const tenth = Math.floor(count / 10);
  const logs = quick ? 2 : Math.ceil(1024 ** 3 / LOG_CAP);
  const around = quick ? 10 : 25;
  say(`${logs} sessions that fill their logs`);
  const talk = await paceOf(installation, repository, 'talk', [
    ...Array.from({ length: around }, (_, at) => trivial(at)),
    ...Array.from(
      { length: logs },
      (_, at) => `Talk ${at} \`scripted: spew 60MB lines\` \`scripted: append talk.txt ${at}\``,
    ),
    ...Array.from({ length: around }, (_, at) => trivial(around + at)),
  ]);
  return [
    flat(
      `task ${count} against task 1`,
      many.slice(-tenth),
      many.slice(0, tenth),
      `medians of the last and first tenth of a run of ${count} tasks, local runner`,
    ),
    flat(
      `a task after ${logs === 2 ? '100 MB' : '1 GB'} of log against one before`,
      talk.slice(-around + 1),
      talk.slice(0, around - 1),
      `medians of ${around - 1} tasks before and after ${logs} sessions that print 60 MB each`,
    ),
  ];
};

function trivial(at: number): string {
  return `Append line ${at} \`scripted: append notes.txt ${at}\``;
}

async function paceOf(
  installation: Installation,
  repository: string,
  name: string,
  tasks: readonly string[],
): Promise<readonly number[]> {
  const run = await installation.settled(await installation.start(repository, name, playbookOf(name, tasks)));
  return paces(run.tasks);
}

function flat(name: string, late: readonly number[], early: readonly number[], note: string): Figure {
  return { name, ours: median(late), baseline: median(early), unit: 'ms', target: { most: 1.1 }, note };
}
