import { task, type Scene } from '../scene.ts';
import type { Stage } from '../stage.ts';

export const verify: Scene = { name: 'verify', title: 'A check fails, and a fresh session repairs the work', play };

async function play(stage: Stage): Promise<string> {
  await stage.begin(
    'Greet visitors',
    [
      '---',
      `verify: "grep -q 'Hello, ' greeting.txt || { echo 'greeting.txt greets nobody'; exit 1; }"`,
      '---',
      ...task('Write the greeting', 'write greeting.txt Helo', 'repair write greeting.txt Hello, visitor'),
    ].join('\n'),
  );
  const ended = await stage.end();
  await stage.show('The thread at the end', 'is done');
  const body = await stage.pullRequest(ended, /^Checks failed on|^\| 1 \| .*grep|greets nobody/u);
  const [only] = ended.tasks;
  const { outcome } = only ?? {};
  stage.check(ended.run.state === 'succeeded' && only?.attempts === 2, 'the second attempt did not repair the work');
  stage.check(outcome?.kind === 'committed' && outcome.failedBefore?.length === 1, 'the failed check was not recorded');
  stage.check(body.includes('exit code 1') && body.includes('exit code 0'), 'the pull request lacks the exit codes');
  return 'attempt 1 failed its check with exit code 1, attempt 2 passed it; the pull request shows both';
}
