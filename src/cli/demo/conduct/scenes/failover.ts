import { task, type Scene } from '../scene.ts';
import type { Stage } from '../stage.ts';

/** Id of the provider that takes over: the scripted agent in a second part. */
export const UNDERSTUDY = 'understudy';

export const failover: Scene = {
  name: 'failover',
  title: 'A provider runs out of quota, and another takes over',
  play,
};

async function play(stage: Stage): Promise<string> {
  await stage.begin(
    'Two letters',
    [
      '---',
      `provider: [scripted, ${UNDERSTUDY}]`,
      '---',
      ...task('Write the first', 'write first.txt Dear A'),
      ...task('Write the second', 'fail quota 2h scripted', 'write second.txt Dear B'),
    ].join('\n'),
  );
  const ended = await stage.end();
  await stage.show('The thread at the end', 'is done');
  await stage.pullRequest(ended, /^### Taken over|^- Task 2 by /u);
  const second = ended.tasks[1];
  stage.check(ended.run.state === 'succeeded', `the run ended as ${ended.run.state}`);
  stage.check(second?.handover?.provider === UNDERSTUDY, 'nobody took the second task over');
  return `task 2 went to ${UNDERSTUDY}, because ${second?.handover?.reason ?? ''}`;
}
