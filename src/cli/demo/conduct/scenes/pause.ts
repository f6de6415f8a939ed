import { task, type Scene } from '../scene.ts';
import type { Stage } from '../stage.ts';

export const pause: Scene = { name: 'pause', title: 'A run is paused and resumed', play };

async function play(stage: Stage): Promise<string> {
  await stage.begin(
    'Three rooms',
    [
      ...task('Paint the hall', 'sleep 3s', 'write hall.txt white'),
      ...task('Paint the kitchen', 'sleep 3s', 'write kitchen.txt white'),
      ...task('Paint the attic', 'sleep 3s', 'write attic.txt white'),
    ].join('\n'),
  );
  await stage.until('the first task', ({ tasks }) => tasks[0]?.startedAt !== undefined);
  await stage.say('/maestro pause');
  const paused = await stage.until('the pause', ({ run }) => run.state === 'parked');
  const done = paused.tasks.filter(({ outcome }) => outcome?.kind === 'committed').length;
  await stage.show('The thread while it is paused', 'is paused by');
  stage.check(paused.run.steering?.paused !== undefined, 'the run waits, but not because it was paused');
  await stage.say('/maestro resume');
  const ended = await stage.end();
  await stage.show('The thread at the end', 'is done');
  stage.check(ended.run.state === 'succeeded', `the run ended as ${ended.run.state}`);
  return `paused after task ${done} of 3, and went on to the end after /maestro resume`;
}
