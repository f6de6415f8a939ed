import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunTask } from '../../domain/run.ts';
import { parsePlaybook } from '../../playbook/parse.ts';
import type { ProviderId } from '../../providers/ids.ts';
import { untilSignal } from '../../process.ts';
import { chooseRunner } from './place.ts';
import { watchRuns } from './progress.ts';
import { demoRun, isAsPromised, type DemoResult } from './result.ts';
import { DEMO_ISSUE, DEMO_OWNER, DEMO_PLAYBOOK, DEMO_REPOSITORY, DEMO_USER } from './seed.ts';
import { openWorld, type World } from './world.ts';

export interface DemoOptions {
  readonly json: boolean;
  /** A playbook of the person's own, instead of the demonstration's. */
  readonly playbook?: string;
  readonly provider: ProviderId;
  /** Docker if there is an engine, else the local runner, when not said. */
  readonly runner?: 'docker' | 'local';
  /** Leaves everything up to look at, until Ctrl-C. */
  readonly keep: boolean;
}

/**
 * Does Maestro's main job end to end on this machine: labels an issue, commits a playbook, and waits for the pull requests.
 * Gives the exit code: 0 only if everything that was promised is there, 2 for a playbook with problems.
 */
export async function demo(options: DemoOptions): Promise<number> {
  const playbook =
    options.playbook === undefined
      ? { name: 'api-migration.md', text: DEMO_PLAYBOOK }
      : { name: path.basename(options.playbook), text: await readFile(options.playbook, 'utf8') };
  const { problems } = parsePlaybook(playbook.text);
  if (problems.length > 0) {
    for (const problem of problems)
      say(`${playbook.name}:${problem.line}:${problem.column}: ${problem.message} ${problem.fix}`);
    return 2;
  }
  const runner = await chooseRunner(options, say);
  if (runner === undefined) return 1;
  const words = new Map<string, string>();
  const world = await openWorld({
    provider: options.provider,
    runner,
    logLevel: process.env['LOG_LEVEL'] || 'fatal',
    onEvent: (event, of) => {
      if (event.type === 'text') words.set(of.sessionId, event.text.split('\n')[0] ?? '');
    },
  });
  try {
    await trigger(world, playbook);
    const lastWords = (task: RunTask): string =>
      words.get(`${task.runId}-${task.position}-${task.attempts + 1}`) ??
      words.get(`${task.runId}-${task.position}-1`) ??
      '';
    await watchRuns(
      world.shared.store,
      [
        { because: `Issue labelled "${DEMO_ISSUE.title}"`, trigger: 'label' },
        { because: `Playbook committed ${playbook.name}`, trigger: 'push' },
      ],
      { live: !options.json && process.stdout.isTTY, lastWords, say },
    );
    const runs = await report(world);
    if (!options.json) show(world, runs, playbook.name);
    if (options.keep) await keep(world);
    return finish({ runs, leftovers: await world.close() }, options);
  } catch (error) {
    await world.close();
    throw error;
  }
}

/** Does what a person would do: opens an issue and labels it, commits a playbook to the default branch. */
async function trigger(world: World, playbook: { readonly name: string; readonly text: string }): Promise<void> {
  const alice = world.github.as(DEMO_USER);
  const repo = `/repos/${DEMO_OWNER}/${DEMO_REPOSITORY}`;
  const issue = await alice.call<{ number: number }>(`POST ${repo}/issues`, DEMO_ISSUE);
  await alice.call(`POST ${repo}/issues/${issue.number}/labels`, { labels: ['maestro'] });
  await alice.call(`PUT ${repo}/contents/.maestro/playbooks/${encodeURIComponent(playbook.name)}`, {
    message: `Add playbook ${playbook.name}`,
    content: Buffer.from(playbook.text).toString('base64'),
  });
}

async function report(world: World): Promise<DemoResult['runs']> {
  const { store } = world.shared;
  const runs = (await store.listRuns()).toSorted((a, b) => a.createdAt - b.createdAt);
  return await Promise.all(runs.map(async (run) => demoRun(run, await store.tasksOf(run.id))));
}

function show(world: World, runs: DemoResult['runs'], playbook: string): void {
  say('');
  for (const run of runs) {
    const { pullRequest } = run;
    const what = run.trigger.kind === 'push' ? `Playbook ${playbook}` : `Issue "${DEMO_ISSUE.title}"`;
    const where =
      pullRequest === null
        ? 'no pull request'
        : `pull request #${pullRequest.number}, ${pullRequest.draft ? 'a draft' : 'ready for review'}`;
    say(
      `${run.status === 'succeeded' ? '✔' : '✖'} ${what} → ${where}: ${run.tasks.done} of ${run.tasks.total} tasks, one commit each`,
    );
    for (const commit of run.commits) say(`    ${commit.slice(0, 10)}`);
  }
  say('');
}

async function keep(world: World): Promise<void> {
  const { token } = world.github.as(DEMO_USER);
  say('Everything stays up until Ctrl-C. To look around:');
  say(`  git clone ${world.github.gitUrl(DEMO_OWNER, DEMO_REPOSITORY, token)}`);
  say(`  curl -H 'Authorization: Bearer ${token}' ${world.github.apiUrl}/repos/${DEMO_OWNER}/${DEMO_REPOSITORY}/pulls`);
  await untilSignal();
}

function finish(result: DemoResult, options: DemoOptions): number {
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  if (result.leftovers > 0) say(`${result.leftovers} things were left behind and have been removed; that is a defect.`);
  if (!options.json && !options.keep) say('To look around in what was made: npm run demo -- --keep');
  return isAsPromised(result) ? 0 : 1;
}

/** For people: on standard error, so that standard output stays the answer. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
