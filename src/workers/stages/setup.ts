import { writtenIn } from '../../domain/defaults.ts';
import type { Failure } from '../../domain/outcome.ts';
import { setupKey, type Setup } from '../../domain/setup.ts';
import { prepareCommand } from '../../git/lane-scripts.ts';
import { clearCommand, sealCommand } from '../../git/setup-scripts.ts';
import { findSetup } from '../../playbook/setup.ts';
import { InfrastructureError, type Furnishing, type JobResult } from '../../runners/runner.ts';
import { defaultBranchOf } from '../default-branch.ts';
import { endingOf, EndedEarly } from '../ending.ts';
import { cachesOf, placeOf, tendLane } from '../jobs.ts';
import { ended, lineSink, tailSink } from '../lines.ts';
import type { LaneUse, RunScope } from '../record.ts';
import { hostsOf } from '../wire.ts';

/** What prepares the lane of a run, with the name of what it prepares. */
export interface RunSetup {
  readonly setup: Setup;
  readonly key: string;
}

/** A setup did not come to its end. */
export class SetupFailedError extends Error {
  override readonly name = 'SetupFailedError';
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** Bytes of a setup's output that are kept in the log of the session it ran for. */
const OUTPUT = 64 * 1024;

/** Lines of output a person is shown when it fails. */
const TAIL_LINES = 30;

/** Begins the line that says which step comes. */
const MARK = 'maestro-setup-step';

/** Runs the steps one after another until one fails. They have one place, so that what one puts into HOME the next finds. */
const STEPS = `
cd "$1" && shift || exit 1
at=0
for step in "$@"; do
  at=$((at + 1))
  printf '${MARK} %s\\n' "$at"
  sh -c "$step" </dev/null 2>&1 || exit
done
`;

/** The setup of a run's repository, as it is on the default branch; undefined when it has none. */
export async function setupOf(scope: RunScope): Promise<RunSetup | undefined> {
  const { deps, held } = scope;
  const branch = await defaultBranchOf(scope);
  const commands = held.run.settings.setup;
  const written = commands && { commands, in: writtenIn(held.run, 'setup') };
  const setup = await findSetup(written, (path) => branch.read(path));
  if (setup === undefined) return undefined;
  // Not the agent's: which one takes over must not do a setup again.
  const ours = (await deps.runner.check()).image;
  const image = scope.image?.own === undefined ? ours : `${scope.image.own} ${ours ?? ''}`;
  if (setup.skipped.length > 0) {
    scope.announcer.note(`Of the setup in \`${setup.source}\` this was left out: ${setup.skipped.join('; ')}.`);
  }
  return { setup, key: setupKey({ setup, files: branch.files, image }) };
}

/**
 * Runs a setup where `run` runs jobs: its own container, without a model or any credential, with a wire that reaches package
 * registries. Its output goes into the log of what it is for. Rejects with `SetupFailedError` when a step fails.
 */
export async function carryOut(
  use: LaneUse,
  scope: RunScope,
  { setup }: RunSetup,
  run: Parameters<Furnishing['furnish']>[0],
): Promise<void> {
  const { deps } = scope;
  const session = use.session.id;
  await using wire = await deps.gateway.open({
    session: `${session}-setup`,
    listen: deps.runner.wire,
    hosts: [...deps.settings.session.setupHosts, ...hostsOf(scope)],
    model: undefined,
    budget: {},
  });
  const inside = deps.runner.inside(scope.lane);
  const proxy = inside.gatewayUrl ?? wire.url ?? '';
  const socket = wire.socket === undefined ? {} : { socket: wire.socket };
  const output = tailSink(OUTPUT);
  let at = 0;
  const lines = lineSink((line) => {
    const step = new RegExp(`^${MARK} (\\d+)$`).exec(line)?.[1];
    if (step === undefined) output.sink.write(`${line}\n`);
    else output.sink.write(`$ ${setup.steps[(at = Number(step)) - 1]?.name ?? ''}\n`);
  });
  const { lane: _, ...place } = placeOf(scope, { purpose: 'setup', session, ...socket });
  scope.held.assertOurs();
  scope.log.info({ sessionId: session, source: setup.source }, 'setting up');
  const result = await run(
    {
      ...place,
      argv: ['sh', '-c', STEPS, 'maestro-setup', inside.repo, ...setup.steps.map(({ script }) => script)],
      env: { ...cachesOf(inside), ...proxyVariables(proxy), CI: 'true', DEBIAN_FRONTEND: 'noninteractive' },
    },
    { stdin: '', stdout: lines, stderr: lines, signal: scope.signal },
  );
  await ended(lines);
  scope.announcer.noteBlocked(wire.blocked());
  const took = `${setup.source}: ${result.ending} ${result.code ?? ''} after ${Math.round(result.durationMs / 1000)} s`;
  await use.sessionLog.write({ type: 'stage', name: 'setup', detail: `${took}\n${output.text()}` });
  scope.log.info({ sessionId: session, source: setup.source, ...result }, 'set up');
  const ending = endingOf(scope.signal);
  if (ending !== undefined) throw new EndedEarly(ending);
  if (result.ending === 'exited' && result.code === 0) return;
  throw new SetupFailedError({
    kind: 'setup',
    message: `The setup of this repository failed: ${howOf(result)} in \`${setup.steps[at - 1]?.name.split('\n', 1)[0] ?? setup.source}\` (${setup.source}).`,
    detail: output.text().split('\n').slice(-TAIL_LINES).join('\n'),
  });
}

/** The same on the run's own lane, where no prepared tree can be had: emptied first, since an agent may have been at work on it. */
export async function carryOutOnLane(use: LaneUse, scope: RunScope, setup: RunSetup): Promise<void> {
  const { base } = scope.held.run;
  const inside = scope.deps.runner.inside(scope.lane);
  await errand(scope, clearCommand(inside));
  await errand(scope, prepareCommand({ ...inside, branch: base.ref, commit: base.sha }));
  await carryOut(use, scope, setup, async (job, io) => {
    return await scope.deps.runner.run({ ...job, lane: scope.lane }, io);
  });
  await errand(scope, sealCommand({ ...inside, commit: base.sha, key: setup.key }));
}

async function errand(scope: RunScope, argv: readonly string[]): Promise<void> {
  const result = await tendLane(scope, { argv, stdout: tailSink(4096).sink });
  const ending = endingOf(scope.signal);
  if (ending !== undefined) throw new EndedEarly(ending);
  if (result.ending === 'exited' && result.code === 0) return;
  throw new InfrastructureError(`the lane could not be made ready for its setup: ${result.stderr || result.ending}`);
}

function howOf({ ending, code }: JobResult): string {
  switch (ending) {
    case 'exited':
      return `exit code ${code ?? 'unknown'}`;
    case 'idle':
      return 'silence for too long';
    case 'wall':
      return 'not done in time';
    case 'output':
      return 'too much output';
    case 'memory':
      return 'out of memory';
    case 'aborted':
      return 'ended early';
  }
}

/** Both spellings: curl and bundler read the small ones only. */
function proxyVariables(url: string): Readonly<Record<string, string>> {
  const none = '127.0.0.1,localhost';
  return {
    HTTPS_PROXY: url,
    HTTP_PROXY: url,
    NO_PROXY: none,
    https_proxy: url,
    http_proxy: url,
    no_proxy: none,
  };
}
