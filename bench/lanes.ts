import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './figure.ts';
import { git } from './hand.ts';
import { madeUpFiles, openInstallation, playbookOf } from './installation.ts';
import { median } from './statistics.ts';

const FILES = 20_000;

/** A lane on a repository that Maestro has worked on before, against a shallow clone beside it. */
export const lanes: Bench = async ({ quick, components, say }) => {
  await using stack = new AsyncDisposableStack();
  const installation = stack.use(await openInstallation({ components, runner: 'docker' }));
  const directory = await mkdtemp(join(tmpdir(), 'maestro-bench-clone-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  say(`a repository of ${FILES} files`);
  const repository = await installation.repository('large', madeUpFiles(FILES, 4_000));
  const url = installation.github.gitUrl('acme', 'large', installation.github.as('ada').token);
  const clones: number[] = [];
  const stage: number[] = [];
  const heard: number[] = [];
  const rounds = quick ? 1 : 3;
  for (let round = 0; round <= rounds; round += 1) {
    say(round === 0 ? 'preparing' : `round ${round} of ${rounds}`);
    const id = await installation.start(
      repository,
      `visit-${round}`,
      playbookOf(`Visit ${round}`, [`Append \`scripted: append notes-${round}.txt hello\``]),
    );
    const run = await installation.settled(id);
    // The first visit prepares the tree that the others start from.
    if (round === 0) continue;
    const first = (await installation.sessionLog(id, 1)).find(({ type }) => type === 'session');
    heard.push((first?.at ?? Number.NaN) - (run.startedAt ?? Number.NaN));
    stage.push(prepareMs(installation.worker().said('stage done'), id));
    const began = performance.now();
    await git(directory, 'clone', '--quiet', '--depth=1', url, `clone-${round}`);
    clones.push(performance.now() - began);
    await rm(join(directory, `clone-${round}`), { recursive: true });
  }
  const clone = median(clones);
  return [
    {
      name: 'lane ready, 20,000 files',
      ours: median(stage),
      baseline: clone,
      unit: 'ms',
      target: { most: 0.1 },
      note: `the stage that prepares the lane of a new run on a repository visited before (median of ${rounds}); baseline: git clone --depth=1 from the same GitHub to the same disk`,
    },
    {
      name: 'run taken up → first word of its agent, 20,000 files',
      ours: median(heard),
      baseline: clone,
      unit: 'ms',
      target: { most: 0.5 },
      note: 'the same runs: everything from taking up the run to the first event of the agent; same baseline',
    },
  ];
};

function prepareMs(lines: readonly { readonly [field: string]: unknown }[], runId: string): number {
  const line = lines.find((one) => one['stage'] === 'prepare' && one['runId'] === runId);
  return typeof line?.['ms'] === 'number' ? line['ms'] : Number.NaN;
}
