import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './figure.ts';
import { handCopy, inContainer } from './hand.ts';
import { madeUpFiles, openInstallation, paces, playbookOf } from './installation.ts';
import { stagesOf } from './stages.ts';
import { median } from './statistics.ts';

const FILES = 2_000;
const PROMPT = '# Task\\nAppend a line\\n\\nscripted: append notes.txt a line\\n';

/** Runs the same agent on the same prompt and prints how long it took by the container's own clock. Milliseconds. */
const TIMED_AGENT = `a=$(date +%s%N); printf '${PROMPT}' | node /opt/maestro/scripted-agent.mjs >/dev/null 2>&1; b=$(date +%s%N); echo $(((b - a) / 1000000))`;

/** What a task costs beside the agent's own time, against the same primitives one after another by hand. */
export const tasks: Bench = async ({ quick, components, say }) => {
  await using stack = new AsyncDisposableStack();
  const installation = stack.use(await openInstallation({ components, runner: 'docker' }));
  const directory = await mkdtemp(join(tmpdir(), 'maestro-bench-hand-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const repository = await installation.repository('warm', madeUpFiles(FILES, 2_000));
  const { token } = installation.github.as('ada');
  const copy = await handCopy(installation.github.gitUrl('acme', 'warm', token), directory);
  const engine = { dockerHost: await components.dockerHost(), image: await components.agentImage() };

  const agents: number[] = [];
  const byHand: number[] = [];
  const ours: number[] = [];
  const perRun = quick ? 8 : 20;
  const rounds = quick ? 1 : 3;
  let turn = 0;
  for (let round = 0; round <= rounds; round += 1) {
    for (let count = 0; count < (quick ? 4 : 6); count += 1) {
      turn += 1;
      const began = performance.now();
      const agentMs = Number(await inContainer(engine, TIMED_AGENT));
      const container = performance.now() - began - agentMs;
      agents.push(agentMs);
      byHand.push(container + (await copy.commitAndPush(turn)));
    }
    if (round === rounds) break;
    say(`run ${round + 1} of ${rounds}, ${perRun} tasks`);
    const list = Array.from({ length: perRun }, (_, at) => `Append line ${at} \`scripted: append notes.txt ${at}\``);
    const run = await installation.settled(
      await installation.start(repository, `round-${round}`, playbookOf(`Round ${round}`, list)),
    );
    const pace = paces(run.tasks);
    ours.push(pace.reduce((sum, ms) => sum + ms, 0) / pace.length);
  }
  say(`stages: ${stagesOf(installation.worker().said('stage done'))}`);
  const agent = median(agents);
  return [
    {
      name: 'a task beside its agent, warm lane, container',
      ours: median(ours) - agent,
      baseline: median(byHand),
      unit: 'ms',
      target: { most: 1.2 },
      note: `${rounds} × ${perRun} tasks in a repository of ${FILES} files, the agent's own ${Math.round(agent)} ms taken off; baseline: one hardened container created, started, waited for and removed, pack out and index-pack, commit by plumbing, push, one after another by hand`,
    },
  ];
};
