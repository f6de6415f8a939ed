import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Place, SettledRun } from './place.ts';
import { eventually, openProduct } from './product.ts';
import { useHarness } from './suite.ts';

describe('earlier conversations', () => {
  const suite = useHarness({ runner: 'local' });

  /** A run whose one session held a conversation; gives its id. */
  async function converse(place: Place): Promise<{ run: SettledRun; issue: number; conversation: string }> {
    const issue = await place.issue('Tune the violins', '`scripted: write a.txt a`');
    await place.label(issue);
    const run = await place.settledRun();
    const [session] = await suite.harness().store.sessionsOf(run.id);
    return { run, issue, conversation: session?.conversation ?? '' };
  }

  function shelfOf(place: Place): string {
    return path.join(suite.harness().config.MAESTRO_HOME, 'sessions', String(place.id));
  }

  it('are kept as the CLI wrote them, and gone on with by the first task of a run alone', async () => {
    const place = await suite.place();
    const { run, conversation } = await converse(place);
    const [session] = await suite.harness().store.sessionsOf(run.id);
    const files = (await readdir(shelfOf(place))).toSorted();
    expect(files).toEqual([`${session?.id}.json`, `${session?.id}.tar.gz`]);
    expect(session?.kept).toBeGreaterThan(100);
    const archive = gunzipSync(await readFile(path.join(shelfOf(place), files[1] ?? ''))).toString();
    expect(archive).toContain('Tune the violins');
    expect(archive).toContain(`.scripted/${conversation}.jsonl`);

    const second = await place.issue('Twice', '- [ ] First `scripted: recall`\n- [ ] Second `scripted: recall`\n');
    await place.comment(second, `/maestro run resume=${conversation}`);
    const [, resumed] = await place.settledRuns(2);
    expect(resumed).toMatchObject({ state: 'succeeded', resume: { session: session?.id, conversation } });
    const said = await Promise.all(
      (await suite.harness().store.sessionsOf(resumed!.id)).map(async ({ log }) => await readFile(log, 'utf8')),
    );
    expect(said[0]).toContain('I remember: Tune the violins');
    expect(said[1]).toContain('"I remember: "');

    // The conversation went on in that run: gone on with once more, it holds both prompts.
    const third = await place.issue('Thrice', '`scripted: recall`');
    await place.comment(third, `/maestro run resume=${conversation}`);
    await place.settledRuns(3);
    expect(await place.agentSaid('I remember: Tune the violins; First')).toBe(true);
  });

  it('are kept of an agent that is ended, too', async () => {
    const place = await suite.place();
    const issue = await place.issue('Hang', '`scripted: say now` then `scripted: hang`');
    await place.label(issue);
    await place.until('the agent at work', async () => await place.agentSaid('"now"'));
    await place.comment(issue, '/maestro stop');
    await place.settledRun();
    expect(await readdir(shelfOf(place))).toHaveLength(2);
  });

  it('are refused where they do not belong, with what there is instead', async () => {
    const [here, there] = [await suite.place(), await suite.place()];
    const { conversation, issue } = await converse(here);
    const other = await there.issue('Peek', '`scripted: recall`');

    await there.comment(other, `/maestro run resume=${conversation}`);
    await here.comment(issue, `/maestro run resume=${conversation.slice(0, 8)}`);
    await here.comment(issue, `/maestro run provider=codex resume=${conversation}`);
    await suite.harness().quiet();
    expect(await there.answers(other)).toEqual([expect.stringContaining('is about another repository')]);
    const answers = await here.answers(issue);
    expect(answers.filter((text) => text.includes(`There is \`${conversation}\` (scripted, `))).toHaveLength(1);
    expect(answers.filter((text) => text.includes("`codex` can't go on with it"))).toHaveLength(1);
    expect(await there.runs()).toEqual([]);
  });
});

describe('a conversation that was cut off by the death of the worker', () => {
  it('is kept by the one that goes on with the task', async () => {
    await using product = await openProduct();
    await product.start();
    const repository = await product.repository();
    const gate = path.join(product.home, 'gate');
    const issue = await repository.issue('Wait', `\`scripted: say now\` then \`scripted: await ${gate}\``);
    await repository.label(issue);
    await eventually('the agent at work', async () => (await logs(product.home)).includes('"type":"session"'));
    await product.kill();
    await writeFile(gate, '');
    await product.start();
    const kept = await eventually('two kept conversations', async () => {
      const names = await readdir(path.join(product.home, 'sessions'), { recursive: true }).catch(() => []);
      return names.filter((name) => name.endsWith('.json')).length === 2 ? names : undefined;
    });
    expect(kept.filter((name) => /-1-[12]\.tar\.gz$/.test(name))).toHaveLength(2);
    await eventually('the end', async () => (await repository.labels(issue)).includes('maestro-done'));
  });
});

async function logs(home: string): Promise<string> {
  const names = await readdir(path.join(home, 'logs'), { recursive: true }).catch(() => []);
  const files = names.filter((name) => name.endsWith('.jsonl'));
  return (await Promise.all(files.map(async (name) => await readFile(path.join(home, 'logs', name), 'utf8')))).join('');
}
