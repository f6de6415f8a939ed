import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import Docker from 'dockerode';
import { engineAt } from '../../src/runners/docker/engine-address.ts';
import { namespaceOf } from '../../src/compose/runner.ts';
import { keptBranchName } from '../../src/domain/branch.ts';
import { digest } from '../../src/domain/ids.ts';
import { isSpare } from '../../src/runners/docker/lanes.ts';
import { parseTrailers } from '../../src/domain/report/commit-message.ts';
import { isFinal, type Run } from '../../src/domain/run.ts';
import { auditBranchNames, auditChecks, auditRecord, auditScratch } from './audit-record.ts';
import type { Place } from './place.ts';
import type { Audited } from './stage.ts';

/**
 * Holds what happened in a repository against what Maestro promises whatever the scenario: one pull request and one status
 * comment a run, writes below `maestro/` only, one commit a task with our trailers, nothing left behind, no secret anywhere.
 *
 * @throws Error that lists everything that is wrong.
 */
export async function auditPlace(harness: Audited, place: Place): Promise<void> {
  const runs = await place.runs();
  await place.branches();
  const problems = [
    ...(await Promise.all(runs.map(async (run) => [...(await auditBranch(harness, place, run))]))).flat(),
    ...(await auditThreads(place, runs)),
    ...(await auditRecord(harness, place, runs)),
    ...(await auditBranchNames(harness, place, runs)),
    ...(await auditChecks(harness, place, runs)),
    ...auditRefs(harness, place),
    ...(await auditLeftovers(harness, runs)),
    ...(await auditSecrets(harness, place)),
  ];
  if (problems.length === 0) return;
  const complaints = harness.log.slice(place.since.log).filter((line) => /^\{"level":[456]0/.test(line));
  throw new Error(
    `Promises broken in ${place.fullName}:\n  ${problems.join('\n  ')}\nLogged:\n  ${complaints.join('  ')}`,
  );
}

/** The run's branch is its base and one commit for each committed task, in order; partial work is apart. */
async function auditBranch(harness: Audited, place: Place, run: Run): Promise<readonly string[]> {
  const branches = await place.knownBranches();
  const tasks = await harness.store.tasksOf(run.id);
  const committed = tasks.flatMap(({ outcome, key }) =>
    outcome?.kind === 'committed' ? [{ commit: outcome.commit, key }] : [],
  );
  const tip = branches.get(run.branch);
  if (tip === undefined) {
    const lost = committed.length > 0 && !deletedByPerson(harness, place, run);
    return lost ? [`${run.branch} is gone, and tasks were committed to it`] : [];
  }
  const problems: string[] = [];
  const listed = (await place.git('rev-list', '--reverse', '--first-parent', `${run.base.sha}..${run.branch}`))
    .split('\n')
    .filter((line) => line !== '');
  const messages = await Promise.all(listed.map(async (oid) => await place.git('log', '-1', '--format=%B', oid)));
  const ours = listed.filter((_, at) => /^Maestro-Run: /m.test(messages[at] ?? ''));
  if (ours.join() !== committed.map(({ commit }) => commit).join()) {
    problems.push(
      `${run.branch} holds ${ours.join(', ')} and the record says ${committed.map((one) => one.commit).join(', ')}`,
    );
  }
  for (const [at, oid] of listed.entries()) {
    const message = messages[at] ?? '';
    if (!ours.includes(oid)) continue;
    const trailers = parseTrailers(message);
    if (trailers?.run !== run.id) problems.push(`${oid} has not the trailers of ${run.id}: ${message}`);
    if (trailers?.task !== committed[ours.indexOf(oid)]?.key) problems.push(`${oid} is not the commit of its task`);
    for (const name of ['Maestro-Run', 'Maestro-Task', 'Maestro-Session']) {
      const times = message.split('\n').filter((line) => line.startsWith(`${name}: `)).length;
      if (times !== 1) problems.push(`${oid} has ${times} trailers ${name}`);
    }
  }
  return problems;
}

function deletedByPerson({ github }: Audited, place: Place, run: Run): boolean {
  const last = github.control
    .refUpdates()
    .findLast((update) => update.repository === place.fullName && update.ref === `refs/heads/${run.branch}`);
  return last !== undefined && /^0+$/.test(last.after) && last.actor !== `${github.app.slug}[bot]`;
}

async function auditThreads(place: Place, runs: readonly Run[]): Promise<readonly string[]> {
  const problems: string[] = [];
  const pulls = await place.pulls();
  const threads = await place.as<readonly { readonly number: number }[]>('ada', 'GET /issues?state=all&per_page=100');
  const answers = (await Promise.all(threads.map(async ({ number }) => await place.answers(number)))).flat();
  for (const run of runs) {
    const opened = pulls.filter((pull) => pull.head.ref === run.branch);
    if (opened.length > 1) problems.push(`run ${run.id} has ${opened.length} pull requests`);
    const told = answers.filter((body) => body.includes(`<sub>`) && body.includes(`run \`${run.id}\``));
    if (told.length > 1) problems.push(`run ${run.id} has ${told.length} status comments`);
    if (isFinal(run.state) && opened[0]?.merged === true) problems.push(`the pull request of ${run.id} was merged`);
  }
  return problems;
}

function auditRefs({ github }: Audited, place: Place): readonly string[] {
  return github.control
    .refUpdates()
    .filter((update) => update.repository === place.fullName && update.actor === `${github.app.slug}[bot]`)
    .filter((update) => !update.ref.startsWith('refs/heads/maestro/'))
    .map((update) => `the bot moved ${update.ref}`);
}

/** Nothing runs or lies about for a run that is over. */
async function auditLeftovers(harness: Audited, runs: readonly Run[]): Promise<readonly string[]> {
  const over = runs.filter((run) => isFinal(run.state)).map((run) => run.id);
  return harness.runner === 'docker' ? await leftInDocker(harness, over) : await leftLocally(harness, over);
}

async function leftInDocker(
  harness: Audited,
  over: readonly string[] | 'all',
  isWorking = false,
): Promise<readonly string[]> {
  const docker = new Docker(engineAt(harness.dockerHost));
  const filters = { label: [`maestro.namespace=${namespaceOf(harness.config)}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const isOver = (labels: Readonly<Record<string, string>> | null | undefined, state = 'running'): boolean => {
    const lane = labels?.['maestro.lane'] ?? '';
    if (over === 'all') return !(isWorking && isSpare(lane) && state === 'running');
    return over.some((run) => labels?.['maestro.run'] === run || lane.includes(run));
  };
  const { Volumes: volumes } = await docker.listVolumes({ filters: JSON.stringify(filters) });
  return [
    ...containers
      .filter(({ Labels, State }) => isOver(Labels, State))
      .map(({ Names }) => `container ${Names.join()} is left`),
    ...(volumes ?? [])
      .filter(({ Name, Labels }) => isOver(Labels) && !isTree(Name, Labels, isWorking))
      .map(({ Name }) => `volume ${Name} is left`),
  ];
}

/**
 * Prepared trees stay, within their budget, for the runs to come; what they are made through does not, unless its maker died: then
 * it goes like a tree that was never finished, hours later.
 */
function isTree(
  name: string,
  labels: Readonly<Record<string, string>> | null | undefined,
  isWorking: boolean,
): boolean {
  return labels?.['maestro.tree'] !== undefined && (isWorking || !name.endsWith('-in'));
}

/** Takes away the prepared trees of a product that will not be started again. */
async function removeTrees(harness: Audited): Promise<void> {
  const docker = new Docker(engineAt(harness.dockerHost));
  const label = [`maestro.namespace=${namespaceOf(harness.config)}`, 'maestro.tree'];
  const { Volumes: volumes } = await docker.listVolumes({ filters: JSON.stringify({ label }) });
  for (const { Name } of volumes ?? []) await docker.getVolume(Name).remove();
}

async function leftLocally(harness: Audited, over: readonly string[] | 'all'): Promise<readonly string[]> {
  const root = harness.config.MAESTRO_HOME;
  const isOver = (name: string): boolean => over === 'all' || over.some((run) => name.startsWith(run));
  const found = await Promise.all(
    ['lanes', 'homes', 'jobs'].map(async (folder) =>
      (await readdir(path.join(root, folder)).catch(() => []))
        .filter(isOver)
        .map((name) => `${folder}/${name} is left`),
    ),
  );
  const marks = (over === 'all' ? [''] : over).map((run) => `MAESTRO_JOB=${run}`);
  const installation = `.${digest(root, 12)}`;
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const processes = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      const job = environment
        .split('\0')
        .find((line) => marks.some((mark) => line.startsWith(mark)) && line.endsWith(installation));
      return job === undefined ? [] : [`process ${pid} is left (${job})`];
    }),
  );
  return [...found.flat(), ...processes.flat()];
}

/** No credential in anything the bot told GitHub since the place was made, in the repository, in what was logged since. */
async function auditSecrets(harness: Audited, place: Place): Promise<readonly string[]> {
  const leaks = leaksOf(harness);
  const requests = harness.github.control
    .requests(place.since.requests)
    .filter(({ actorKind, body }) => actorKind !== 'user' && body !== undefined)
    .flatMap(({ method, path, body }) => leaks(`the body of ${method} ${path}`, JSON.stringify(body)));
  const history = await place.git('log', '--all', '--patch', '--text').catch(() => '');
  return [
    ...requests,
    ...leaks('the history of the repository', history),
    ...harness.log.slice(place.since.log).flatMap((line) => leaks(`the log: ${line.slice(0, 200)}`, line)),
  ];
}

/** No credential in a file of Maestro's own. The database is left out: the inbox holds what GitHub sent, and no token is sent. */
async function auditFiles(harness: Audited): Promise<readonly string[]> {
  const leaks = leaksOf(harness);
  const files = await filesBelow(harness.config.MAESTRO_HOME, ['database']);
  const read = await Promise.all(files.map(async (file) => leaks(file, await readFile(file).then(asText, () => ''))));
  return read.flat();
}

/** What a file holds, unpacked as far as it goes: a process that was ended may have been writing it. */
function asText(bytes: Buffer): string {
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return (isPacked ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes).toString('latin1');
}

function leaksOf(harness: Audited): (where: string, text: string) => readonly string[] {
  const secrets = harness.secrets();
  return (where, text) =>
    secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret.slice(0, 8)}… is in ${where}`);
}

async function filesBelow(directory: string, without: readonly string[]): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries
      .filter((entry) => !without.includes(entry.name))
      .map(async (entry) => {
        const full = path.join(directory, entry.name);
        if (entry.isDirectory()) return await filesBelow(full, without);
        const size = entry.isFile() ? (await lstat(full).catch(() => undefined))?.size : undefined;
        return size !== undefined && size < 64 * 1024 * 1024 ? [full] : [];
      }),
  );
  return found.flat();
}

/**
 * When all is over no job and no lane is left, and no credential is in any file. A worker that is still there may keep lanes ready
 * for runs to come.
 */
export async function auditHome(harness: Audited, { isWorking = false } = {}): Promise<void> {
  const left =
    harness.runner === 'docker' ? await leftInDocker(harness, 'all', isWorking) : await leftLocally(harness, 'all');
  const found = [...left, ...(await auditFiles(harness)), ...(await auditScratch(harness))];
  if (harness.runner === 'docker' && !isWorking) await removeTrees(harness);
  if (found.length > 0) throw new Error(`Left behind: ${found.join(', ')}`);
}

/** The branch that keeps a first attempt's partial work. */
export function keptBranch(run: Run, position = 1, attempt = 1): string {
  return keptBranchName(run.id, position, attempt);
}
