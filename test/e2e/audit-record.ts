import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { keptBranchName } from '../../src/domain/branch.ts';
import { opensAgain } from '../../src/domain/order.ts';
import { isFinal, isThrough, type Run } from '../../src/domain/run.ts';
import type { Place } from './place.ts';
import type { Audited } from './stage.ts';

/** The store agrees with itself: deliveries dealt with, every task accounted for, attempts and usage add up. */
export async function auditRecord({ store }: Audited, place: Place, runs: readonly Run[]): Promise<readonly string[]> {
  const problems: string[] = [];
  const pending = await store.pendingDeliveries(Number.MAX_SAFE_INTEGER, 1_000);
  for (const { guid, event, body } of pending) {
    if (body.includes(`"full_name":"${place.fullName}"`)) problems.push(`delivery ${event} ${guid} is still pending`);
  }
  for (const run of runs.filter((one) => isFinal(one.state))) {
    const sessions = await store.sessionsOf(run.id);
    for (const task of await store.tasksOf(run.id)) {
      const of = sessions.filter((session) => session.taskKey === task.key);
      if (run.state === 'succeeded' && !isThrough(task))
        problems.push(`${run.id} succeeded and its task ${task.position} is ${task.outcome?.kind ?? 'open'}`);
      if (of.length !== task.attempts)
        problems.push(
          `task ${task.position} of ${run.id} counts ${task.attempts} attempts and has ${of.length} sessions`,
        );
      const settled = of.filter((session) => session.outcome !== undefined);
      const tokens = settled.reduce((sum, { usage }) => sum + usage.inputTokens, 0);
      if (tokens !== task.usage.inputTokens)
        problems.push(
          `task ${task.position} of ${run.id} counts ${task.usage.inputTokens} tokens, its sessions ${tokens}`,
        );
      const counted = settled.filter(({ attempt }) => attempt > (task.since ?? 0));
      if (counted.filter(({ outcome }) => outcome?.kind === 'committed').length > 1)
        problems.push(`task ${task.position} of ${run.id} was committed by several sessions`);
    }
    const ended = (await store.auditOf(run.id)).filter(({ action }) => action === `run ${run.state}`);
    const reopened = (await store.ordersOf(run.id, 0)).filter(({ order }) => opensAgain(order).includes(run.state));
    if (ended.length < 1 || ended.length > 1 + reopened.length)
      problems.push(`the end of ${run.id} is in the audit log ${ended.length} times`);
  }
  return problems;
}

/** Below `maestro/` there are branches of runs, and of partial work that a run kept, and no others. */
export async function auditBranchNames(
  { store }: Audited,
  place: Place,
  runs: readonly Run[],
): Promise<readonly string[]> {
  const known = new Set<string>(runs.map(({ branch }) => branch));
  for (const run of runs) {
    for (const { action, detail } of await store.auditOf(run.id))
      if (action === 'branch rewound') known.add((detail as { readonly kept: string }).kept);
    for (const { position, attempts } of await store.tasksOf(run.id)) {
      for (let attempt = 1; attempt <= attempts; attempt += 1) known.add(keptBranchName(run.id, position, attempt));
    }
  }
  const branches = await place.knownBranches();
  return [...branches.keys()]
    .filter((name) => name.startsWith('maestro/') && !known.has(name))
    .map((name) => `branch ${name} belongs to no run`);
}

/** Logged where GitHub does not let us in any more: then nobody can end the check. */
const SILENCED = 'GitHub does not take the last word on the run';

/** One check of ours a commit, whatever happened. */
export async function auditChecks({ log }: Audited, place: Place, runs: readonly Run[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const run of runs) {
    if (run.pullRequest === undefined) continue;
    const checks = await place.checks(run.tip);
    if (checks.length > 1) problems.push(`commit ${run.tip} has ${checks.length} checks`);
    const isSilenced = log.some((line) => line.includes(run.id) && line.includes(SILENCED));
    if (isFinal(run.state) && !isSilenced && checks[0]?.status !== 'completed')
      problems.push(`the check of ${run.id} was not ended`);
  }
  return problems;
}

/** Nothing half done lies about in Maestro's own directory once all runs are over. */
export async function auditScratch({ config }: Audited): Promise<readonly string[]> {
  const home = config.MAESTRO_HOME;
  const mirrors = await list(path.join(home, 'mirrors'));
  const inMirrors = await Promise.all(
    mirrors.map(async (mirror) => {
      if (mirror.startsWith('.')) return [`mirrors/${mirror} is left`];
      const files = await list(path.join(home, 'mirrors', mirror));
      const quarantined = await list(path.join(home, 'mirrors', mirror, 'quarantine'));
      return [
        ...files.filter((file) => /^index-|\.lock$/.test(file)),
        ...quarantined.map((one) => `quarantine/${one}`),
      ].map((file) => `mirrors/${mirror}/${file} is left`);
    }),
  );
  const trash = (await list(path.join(home, 'trash'))).map((name) => `trash/${name} is left`);
  const wires = (await list(path.join(home, 'wires')))
    .filter((pid) => !isAlive(Number(pid)))
    .map((pid) => `wires/${pid} of a dead process is left`);
  return [...inMirrors.flat(), ...trash, ...wires];
}

async function list(directory: string): Promise<readonly string[]> {
  return await readdir(directory).catch(() => []);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
