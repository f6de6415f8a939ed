import { describe, expect, it } from 'vitest';
import { explainCommand, type ExplainCommandDeps } from '../../src/cli/explain.ts';
import { createMemoryForge } from '../app/memory-forge.ts';
import { createMemoryStore } from '../app/memory-store.ts';
import { aRun, aTask, START } from '../domain/report/a-run.ts';

async function explained(thread: string, json = false) {
  const { forge, issues, roles } = createMemoryForge();
  const store = createMemoryStore();
  const run = aRun({ state: 'parked', parkedUntil: START + 60_000, reason: 'the quota is \u001B[31mused up' });
  roles.set('mona', 'write');
  const issue = { title: '', body: '', open: true, author: { id: 1, login: 'mona' }, labels: ['maestro'] };
  issues.set(12, { ...issue, number: 12, isPullRequest: false }).set(13, { ...issue, number: 13, isPullRequest: true });
  await store.createRun(run, [aTask(1)]);
  store.change(run.id, { pullRequest: { number: 13, url: '', draft: true } });
  let out = '';
  let error = '';
  const deps: ExplainCommandDeps = {
    thread,
    json,
    store,
    forge,
    survey: { installedRepositories: async () => [{ repository: run.repository, installedAt: 0 }] },
    clock: { now: () => START, monotonic: () => START },
    write: { out: (text) => void (out += text), error: (text) => void (error += text) },
  };
  const code = await explainCommand(deps);
  return { code, out, error, run };
}

describe('maestro explain', () => {
  it('says why a run waits, in a table nothing escapes from', async () => {
    const { code, out } = await explained('octo/demo#12');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Run `r\w+` is not being worked on\. It waits until 2026-11-22 09:01 UTC, 60 s|1 min from now/,
    );
    expect(out).toMatch(/^ {2}NO {2}waiting {4}/m);
    expect(out).toMatch(/^ {2}ok {2}permission /m);
    expect(out).not.toContain('\u001B');
  });

  it('finds the run by its pull request, and speaks JSON', async () => {
    const { code, out, run } = await explained('Octo/Demo#13', true);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      run: run.id,
      gates: expect.arrayContaining([{ name: 'waiting', passed: false, says: expect.any(String) }]),
    });
  });

  it.each([
    ['octo/demo', 2, /owner\/repo#123/],
    ['octo/other#1', 1, /not installed on octo\/other/],
    ['octo/demo#99', 1, /There is no octo\/demo#99/],
  ])('says of %s what is wrong with it', async (thread, code, message) => {
    const answer = await explained(thread);
    expect(answer.code).toBe(code);
    expect(answer.error).toMatch(message);
  });
});
