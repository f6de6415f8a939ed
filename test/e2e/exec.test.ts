import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Run } from '../../src/domain/run.ts';
import { describeWith } from '../setup/require.ts';
import type { Place } from './place.ts';
import { openStage } from './program.ts';
import { KEY_CANARY } from './stage.ts';
import { useHarness, type Suite } from './suite.ts';

const FENCE = '```';

/** What is said in a thread of a command, once it is. */
async function answerTo(place: Place, thread: number, words: RegExp): Promise<string> {
  return await place.until(`an answer like ${words}`, async () =>
    (await place.answers(thread)).findLast((answer) => words.test(answer)),
  );
}

async function parked(place: Place): Promise<Run> {
  return await place.until('a run that waits', async () => {
    const [run] = await place.runs();
    return run?.state === 'parked' && run;
  });
}

async function actions({ harness }: Suite, run: Run): Promise<readonly string[]> {
  return (await harness().store.auditOf(run.id)).map(({ action }) => action);
}

/** An issue of two things whose first is being done. */
async function atWork(place: Place): Promise<number> {
  const issue = await place.issue(
    'Two things',
    '- [ ] First `scripted: write 1.txt one` `scripted: say now` `scripted: sleep 2s`\n- [ ] Second `scripted: write 2.txt two`\n',
  );
  await place.label(issue);
  await place.until('the first task', async () => await place.agentSaid('"now"'));
  return issue;
}

function runsWhatIsAsked(suite: Suite): void {
  it('is run between two tasks, on what is committed by then, and keeps nothing of what it changes', async () => {
    const place = await suite.place();
    const issue = await atWork(place);
    const asked = await place.comment(
      issue,
      '/maestro exec ls; git log -1 --format=%H; echo x >> 1.txt; echo y > 3.txt',
    );
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.reactions(`issues/comments/${asked}`)).toEqual(['+1']);

    const [first] = run.tasks;
    const commit = first?.outcome?.kind === 'committed' ? first.outcome.commit : '';
    const answer = await answerTo(place, issue, /\*\*Maestro\*\* ran/);
    expect(answer).toContain('ran `ls; git log -1 --format=%H; echo x >> 1.txt; echo y > 3.txt` of will');
    expect(answer).toContain(` at ${commit.slice(0, 7)} of \`${run.branch}\`: exit code 0, after `);
    expect(answer).toContain(`\n\n${FENCE}text\n1.txt\nREADME.md\n${commit}\n${FENCE}\n\n`);
    await place.branches();
    expect(await place.git('ls-tree', '-r', '--name-only', run.branch)).toBe('1.txt\n2.txt\nREADME.md\n');
    expect(await place.git('show', `${run.branch}:1.txt`)).toBe('one\n');

    const audit = await suite.harness().store.auditOf(run.id);
    expect(audit.filter(({ action }) => /^exec|^command/.test(action))).toMatchObject([
      { actor: 'will', action: 'exec asked for', detail: { kind: 'exec', thread: issue } },
      { action: 'command ran', detail: { by: 'will', code: 0, commit } },
    ]);
    const log = /All it printed is in `([^`]+)`/.exec(answer)?.[1] ?? '';
    const kept = await readFile(path.join(suite.harness().config.MAESTRO_HOME, log), 'utf8');
    expect(kept).toContain('"type":"output","line":"README.md"');
  });

  it('is run for a run that is paused, which stays so, and shows how it failed', async () => {
    const place = await suite.place();
    const issue = await atWork(place);
    await place.comment(issue, '/maestro pause');
    const before = await parked(place);
    await suite.harness().quiet();
    const [pull] = await place.pulls();
    await place.comment(
      pull?.number ?? 0,
      `/maestro exec\n\n${FENCE}sh\ncat 1.txt\necho '\u001B[31m@octocat\u001B[0m <b>#1'\nexit 3\n${FENCE}\n`,
    );
    const answer = await answerTo(place, pull?.number ?? 0, /ran the script of will/);
    expect(answer).toContain(`: exit code 3, after `);
    expect(answer).toContain(`\n\n${FENCE}text\none\n@\u200Boctocat <b>#1\n${FENCE}\n\n`);
    // As often as somebody asks, for as long as it waits.
    await place.comment(issue, '/maestro exec kill -9 $$');
    expect(await answerTo(place, issue, /kill -9/)).toContain('exit code 137, as after SIGKILL');
    await suite.harness().quiet();
    const after = await parked(place);
    expect(after).toMatchObject({
      reason: before.reason,
      parkedUntil: undefined,
      steering: { paused: { by: 'will' } },
    });
    const heard = await actions(suite, after);
    expect(heard.filter((action) => /^run |^command /.test(action))).toEqual([
      'run created',
      'run started',
      'run paused',
      'command ran',
      'command ran',
    ]);

    await place.comment(issue, '/maestro resume');
    expect(await place.settledRun()).toMatchObject({ state: 'succeeded' });
    await place.branches();
    expect(await place.git('ls-tree', '-r', '--name-only', after.branch)).toBe('1.txt\n2.txt\nREADME.md\n');
  });
}

describe('a command that somebody asks for', () => {
  const suite = useHarness({ runner: 'local', env: { MAESTRO_IDLE_SECONDS: '5', MAESTRO_PARTING_SECONDS: '1' } });

  runsWhatIsAsked(suite);

  it('is run for a run that waits for an answer, and goes on waiting for it', async () => {
    const place = await suite.place();
    const asks = await place.issue('A thing', 'Do `scripted: write 1.txt 1` `scripted: ask Which? | A | B`');
    await place.label(asks);
    const asking = await parked(place);
    await place.comment(asks, '/maestro exec ls');
    expect(await answerTo(place, asks, /ran `ls`/)).toContain(`${FENCE}text\nREADME.md\n${FENCE}`);
    await suite.harness().quiet();
    expect(await parked(place)).toMatchObject({
      waitsFor: 'answer',
      parkedUntil: asking.parkedUntil,
      reason: asking.reason,
    });
    await place.comment(asks, 'B');
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', tasks: [{ attempts: 2, questions: [{ answer: { text: 'B' } }] }] });
  });

  it('is ended when it says nothing for too long, and when its run is stopped; what comes after that is not begun', async () => {
    const place = await suite.place();
    const issue = await place.issue('A thing', 'Do `scripted: ask Which?`');
    await place.label(issue);
    await parked(place);
    await place.comment(issue, '/maestro exec echo begun; sleep 60');
    const silent = await answerTo(place, issue, /ran `echo begun; sleep 60`/);
    expect(silent).toContain('ended after printing nothing for too long');
    expect(silent).toContain(`${FENCE}text\nbegun\n${FENCE}`);
    await place.comment(issue, '/maestro exec while true; do echo on; sleep 1; done');
    await place.comment(issue, '/maestro exec ls');
    const home = suite.harness().config.MAESTRO_HOME;
    const [run] = await place.runs();
    const log = path.join(home, 'logs', run?.id ?? '', `${run?.id}-exec-2.jsonl`);
    await place.until('the second command', async () => (await readFile(log, 'utf8').catch(() => '')) !== '');
    await place.comment(issue, '/maestro stop');
    expect(await place.settledRun()).toMatchObject({ state: 'stopped' });
    await answerTo(place, issue, /(?:ran|run) `while true.*(?:because the run was stopped|before its turn came)/);
    await answerTo(place, issue, /did not run `ls` of will: the run ended before its turn came/);
  });

  it('shows no secret of ours, whatever it prints', async () => {
    const place = await suite.place();
    const issue = await place.issue('A thing', 'Do `scripted: ask Which?`');
    await place.label(issue);
    await parked(place);
    // As such it would be in the webhook as well, which is none of ours.
    const hidden = Buffer.from(KEY_CANARY).toString('base64');
    await place.comment(issue, `/maestro exec echo "key $(echo ${hidden} | base64 -d)"; exit 1`);
    const answer = await answerTo(place, issue, /\*\*Maestro\*\* ran/);
    expect(answer).toContain('echo "key $(echo [redacted]');
    expect(answer).toContain(`${FENCE}text\nkey [redacted]\n${FENCE}`);
    // What is in the thread, the log and all other files is looked at when the test is over.
    await place.comment(issue, '/maestro stop');
    await place.settledRun();
  });

  it('is refused to who may not write, without anything to run, and where no run goes on', async () => {
    const place = await suite.place();
    const issue = await place.issue('A thing', 'Do `scripted: write 1.txt 1` `scripted: ask Which?`');
    const refused = async (words: string, login?: string): Promise<string> => {
      const comment = await place.comment(issue, words, login);
      await suite.harness().quiet();
      expect(await place.reactions(`issues/comments/${comment}`)).toEqual(['confused']);
      return (await place.answers(issue)).at(-1) ?? '';
    };
    expect(await refused('/maestro exec ls')).toContain('There has been no run here yet.');
    await place.label(issue);
    const run = await parked(place);
    expect(await refused('/maestro exec ls', 'rory')).toContain('needs the role `write` or more');
    expect(await refused('/maestro exec')).toContain('Say what to run, like `/maestro exec npm test`');
    await place.comment(issue, 'this');
    await place.settledRun();
    expect(await refused('/maestro exec ls')).toContain(
      'The run here is done, and commands run only while one goes on',
    );
    expect((await actions(suite, run)).filter((action) => action.startsWith('command'))).toEqual([]);
  });
});

describe('a command that somebody asks for while a run waits for a time to come', () => {
  // Of its own: nothing else is done by a provider that is out of quota.
  const suite = useHarness({ runner: 'local' });

  it('is run, and the run waits until that time all the same', async () => {
    const place = await suite.place();
    const waits = await place.issue('A thing', 'Do `scripted: fail quota 2h`');
    await place.label(waits);
    const waiting = await parked(place);
    expect(waiting.parkedUntil).toBeGreaterThan(Date.now());
    await place.comment(waits, '/maestro exec ls');
    await answerTo(place, waits, /ran `ls`/);
    await suite.harness().quiet();
    expect(await parked(place)).toMatchObject({ parkedUntil: waiting.parkedUntil, reason: waiting.reason });
    expect((await suite.harness().store.sessionsOf(waiting.id)).length).toBe(1);
    await place.comment(waits, '/maestro stop');
    expect(await place.settledRun()).toMatchObject({ state: 'stopped' });
  });
});

describeWith('agentImage', 'a command that somebody asks for, in a container', () => {
  runsWhatIsAsked(useHarness({ runner: 'docker' }));
});

describeWith(['postgres', 'redis'], 'a worker that dies over a command', () => {
  it.each([
    ['exec.before-intent', /ran `echo once/],
    ['exec.after-intent', /began to run `echo once.*was cut off/],
    ['exec.after-effect', /began to run `echo once.*was cut off/],
    ['exec.after-record', /ran `echo once.*exit code 0/],
  ])('at %s: it is run once at most, its run goes on waiting, and people are told', async (point, words) => {
    const stage = await openStage();
    const { place, store } = stage;
    const file = path.join(tmpdir(), `maestro-exec-${randomUUID()}`);
    onTestFinished(async () => await rm(file, { force: true }));
    const product = await stage.start({ env: { MAESTRO_FAILPOINTS: `${point}=kill` } });
    const issue = await place.issue('A thing', 'Do `scripted: write 1.txt 1` `scripted: ask Which?`');
    await place.label(issue);
    const before = await parked(place);
    await place.comment(issue, `/maestro exec echo once >> ${file}`);
    await product.ended;
    await stage.start();
    await answerTo(place, issue, words);
    const said = (await place.answers(issue)).filter((answer) => answer.includes('echo once'));
    expect(said).toHaveLength(1);
    const times = (await readFile(file, 'utf8').catch(() => '')).split('\n').length - 1;
    expect(times).toBe(point === 'exec.after-intent' ? 0 : 1);
    const run = await place.until('the order taken in', async () => {
      const [now] = await place.runs();
      return now?.steering?.taken === 1 && now;
    });
    expect(run).toMatchObject({ state: 'parked', waitsFor: 'answer', parkedUntil: before.parkedUntil });
    const told = (await store.auditOf(run.id)).filter(({ action }) => action.startsWith('command '));
    expect(told).toHaveLength(1);
    await place.comment(issue, 'this');
    expect(await place.settledRun()).toMatchObject({ state: 'succeeded' });
  });
});
