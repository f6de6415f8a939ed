import { task, type Scene } from '../scene.ts';
import type { Stage } from '../stage.ts';

export const ask: Scene = { name: 'ask', title: 'An agent asks, and is answered in the thread', play };

async function play(stage: Stage): Promise<string> {
  await stage.begin(
    'A new door',
    task(
      'Paint the door',
      'write primer.txt white',
      'ask Which colour shall the door be? | red | blue',
      'write door.txt painted',
    ).join('\n'),
  );
  const asked = await stage.until('the question', ({ run }) => run.state === 'parked' && run.waitsFor === 'answer');
  await stage.show(
    'The thread while the run waits, holding no container',
    'Which colour shall the door be?',
    'is waiting for an answer',
  );
  const question = asked.tasks[0]?.questions?.at(-1);
  stage.check(question?.options.length === 2, 'the question lost its options');
  await stage.say('blue');
  const ended = await stage.end();
  await stage.show('The thread at the end', 'is done');
  stage.check(ended.run.state === 'succeeded', `the run ended as ${ended.run.state}`);
  const answer = ended.tasks[0]?.questions?.at(-1)?.answer;
  stage.check(answer?.text === 'blue', 'the reply was not taken as the answer');
  stage.check((await stage.prompt(ended, 1)).includes('blue'), 'the agent was not told the answer');
  const files = await stage.files(ended);
  stage.check(
    ['primer.txt', 'door.txt'].every((file) => files.includes(file)),
    'work from before the question was lost',
  );
  return `the agent asked "${question?.text ?? ''}", ${answer?.by ?? ''} replied "blue", and it went on with what it had done before`;
}
