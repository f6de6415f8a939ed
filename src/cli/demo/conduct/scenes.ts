import type { Stage } from './stage.ts';

/** Id of the provider that takes over: the scripted agent in a second part. */
export const UNDERSTUDY = 'understudy';

/** One thing that is shown, by itself on an issue of its own. `play` gives what there was to see, in a sentence. */
export interface Scene {
  readonly name: 'ask' | 'verify' | 'redo' | 'pause' | 'budget' | 'failover';
  readonly title: string;
  readonly play: (stage: Stage) => Promise<string>;
}

/** What the demonstration shows of conducting a run, in this order. */
export const SCENES: readonly Scene[] = [
  { name: 'verify', title: 'A check fails, and a fresh session repairs the work', play: verify },
  { name: 'pause', title: 'A run is paused and resumed', play: pause },
  { name: 'failover', title: 'A provider runs out of quota, and another takes over', play: failover },
];

/** A task of a checklist, and what the scripted agent is to do about it. */
function task(title: string, ...directives: readonly string[]): readonly string[] {
  return [`- [ ] ${title}`, ...directives.map((directive) => `  scripted: ${directive}`)];
}

async function verify(stage: Stage): Promise<string> {
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

async function pause(stage: Stage): Promise<string> {
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

async function failover(stage: Stage): Promise<string> {
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
