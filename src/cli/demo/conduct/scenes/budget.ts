import { task, type Scene } from '../scene.ts';
import type { Stage } from '../stage.ts';

export const budget: Scene = { name: 'budget', title: 'A budget stops a run, until somebody adds to it', play };

async function play(stage: Stage): Promise<string> {
  await stage.begin(
    'Three maps',
    [
      '---',
      'budget: $1',
      '---',
      ...task('Draw the north', 'usage 40000 2000 0.60', 'write north.txt map'),
      ...task('Draw the south', 'usage 40000 2000 0.60', 'write south.txt map'),
      ...task('Draw the west', 'usage 40000 2000 0.60', 'write west.txt map'),
    ].join('\n'),
  );
  const stopped = await stage.end();
  await stage.show('The thread when the budget is spent', 'could not finish');
  const { outcome } = stopped.tasks.find((one) => one.outcome?.kind === 'failed') ?? {};
  const failure = outcome?.kind === 'failed' ? outcome.failure : undefined;
  stage.check(failure?.kind === 'budget', `the run ended as ${stopped.run.state}, not because of its budget`);
  await stage.say('/maestro resume budget=$5');
  const ended = await stage.end(({ run }) => run.state === 'succeeded');
  await stage.show('The thread at the end', 'is done');
  stage.check(
    ended.tasks.every((one) => one.outcome?.kind === 'committed'),
    'not all tasks were done',
  );
  return `${failure?.message ?? ''} With $5 more it went on to the end.`;
}
