import { task, type Scene } from '../scene.ts';
import type { Stage } from '../stage.ts';

export const redo: Scene = { name: 'redo', title: 'An earlier task is taken back and done again', play };

async function play(stage: Stage): Promise<string> {
  await stage.begin(
    'Three walls',
    [
      ...task('Build the first wall', 'append first.txt brick'),
      ...task('Build the second wall', 'append second.txt brick'),
      ...task('Build the third wall', 'append third.txt brick'),
    ].join('\n'),
  );
  const first = await stage.end();
  await stage.show('The thread before', 'is done');
  await stage.say('/maestro redo 2 with a window');
  const again = await stage.end(({ tasks }) => tasks[1]?.attempts === 2);
  await stage.show('The thread at the end', 'is done');
  const body = await stage.pullRequest(again, /maestro\/kept\//u);
  stage.check(again.run.state === 'succeeded', `the run ended as ${again.run.state}`);
  stage.check(
    again.tasks.map(({ attempts }) => attempts).join() === '1,2,2',
    'not the second and third were done again',
  );
  const [before, after] = [first, again].map(({ tasks }) => tasks[0]?.outcome);
  const isKept = before?.kind === 'committed' && after?.kind === 'committed' && before.commit === after.commit;
  stage.check(isKept, 'the first task did not stay as it was');
  stage.check((await stage.prompt(again, 2)).includes('with a window'), 'the agent was not told what to do otherwise');
  const kept = /maestro\/kept\/[\w.-]+/u.exec(body)?.[0] ?? '';
  return `tasks 2 and 3 were taken back and done again; what was there before is kept at ${kept}`;
}
