/**
 * Records what a real CLI prints, for the tests of its codec:
 *
 *   npm run record -- PROVIDER [--only SCENARIO,SCENARIO…] [--image REFERENCE]
 *
 * The CLI runs in its container, as it does in the product, with the scripted model endpoint behind the gateway. Each scenario of
 * record-scenarios.ts becomes test/fixtures/transcripts/PROVIDER/SCENARIO.jsonl; what is known of its end beside that (exit code,
 * what the gateway saw) goes to recorded.json. As in the product, a CLI that goes on trying what is hopeless is ended.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { startModelEndpoint } from '../local-model/server.ts';
import { ensureAgentImage } from '../src/cli/image.ts';
import { systemClock } from '../src/domain/clock.ts';
import { createGateway } from '../src/gateway/create-gateway.ts';
import type { AgentCommand, Provider } from '../src/providers/provider.ts';
import { createProviders, findProvider } from '../src/providers/registry.ts';
import { createDockerRunner } from '../src/runners/docker/docker-runner.ts';
import type { RunId } from '../src/domain/ids.ts';
import type { Job, JobResult } from '../src/runners/runner.ts';
import { createLog } from '../src/telemetry/log.ts';
import { SCENARIOS, type Scenario } from './record-scenarios.ts';

const KEY = 'recorded-model-key';
const PROMPT = '# Task\nWrite hello.txt\n';
const FIXTURES = new URL('../test/fixtures/transcripts/', import.meta.url);

/** Where nothing listens. */
const NOWHERE = 'http://127.0.0.1:9';

/** Stands for the id of the conversation to go on with, until it is known. */
const RESUMED = '@@resumed@@';

/**
 * Runs inside the container: holds one conversation, then goes on with it in a second one, whose output is what is recorded. Both
 * commands come on standard input.
 */
const TWICE = `
const { spawnSync } = require('node:child_process');
const [first, second, resumed] = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const before = spawnSync(first.argv[0], first.argv.slice(1), { input: first.stdin, encoding: 'utf8' });
const ids = before.stdout.split('\\n').filter(Boolean).map((line) => JSON.parse(line)).map((one) => one.thread_id ?? one.session_id ?? one.sessionID ?? one.sessionId);
const id = ids.find((one) => typeof one === 'string');
const argv = second.argv.map((one) => one.replace(resumed, id));
const after = spawnSync(argv[0], argv.slice(1), { input: second.stdin, stdio: ['pipe', 'inherit', 'inherit'] });
process.exitCode = after.status ?? 1;
`;

/** How one conversation ended. */
interface Recording {
  readonly code: number | undefined;
  /** The last answer of the endpoint, if it was none: HTTP status, its own word, milliseconds until it may be asked again. */
  readonly refusal: { readonly status?: number; readonly code?: string; readonly waitMs?: number } | undefined;
  readonly requests: number;
  readonly seconds: number;
}

await main();

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string' }, image: { type: 'string' } },
  });
  const providers = createProviders({ scriptedAgent: '' });
  const provider = findProvider(providers, positionals[0] ?? '');
  if (provider?.cli === undefined || provider.protocol === undefined) {
    const known = Object.values(providers).flatMap(({ id, cli }) => (cli === undefined ? [] : [id]));
    console.error(`Name the provider to record: one of ${known.join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  const only = values.only?.split(',') ?? Object.keys(SCENARIOS);
  const image = values.image ?? (await ensureAgentImage({ agents: provider.id, onProgress: console.error }));
  const directory = new URL(`${provider.id}/`, FIXTURES);
  await mkdir(directory, { recursive: true });
  for (const name of only) {
    const scenario = SCENARIOS[name];
    if (scenario === undefined) throw new Error(`There is no scenario '${name}'.`);
    const { output, recording } = await record(provider, scenario, image);
    await writeFile(new URL(`${name}.jsonl`, directory), output);
    await note(directory, { cli: provider.cli, name, recording });
    console.error(`${provider.id} ${name}: ${JSON.stringify(recording)}`);
  }
}

async function note(
  directory: URL,
  of: { readonly cli: NonNullable<Provider['cli']>; readonly name: string; readonly recording: Recording },
): Promise<void> {
  const file = new URL('recorded.json', directory);
  const before = await readFile(file, 'utf8').catch(() => '{}');
  const known = JSON.parse(before) as { readonly scenarios?: Readonly<Record<string, Recording>> };
  const scenarios = { ...known.scenarios, [of.name]: of.recording };
  await writeFile(file, `${JSON.stringify({ ...of.cli, scenarios }, undefined, 2)}\n`);
}

async function record(
  provider: Provider,
  scenario: Scenario,
  image: string,
): Promise<{ readonly output: string; readonly recording: Recording }> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'maestro-record-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const model = stack.use(
    await startModelEndpoint({
      port: 0,
      script: scenario.script,
      keys: [scenario.wrongKey === true ? 'another key' : KEY],
    }),
  );
  const log = createLog({ level: 'silent' });
  const gateway = createGateway({ directory: join(home, 'wires'), log, clock: systemClock });
  const wire = stack.use(
    await gateway.open({
      session: 'record',
      listen: 'socket',
      hosts: [],
      model: {
        protocol: provider.protocol ?? 'openai',
        upstream: scenario.nobodyThere === true ? NOWHERE : model.url,
        key: KEY,
      },
      budget: {},
    }),
  );
  const namespace = `record-${process.pid}`;
  const runner = createDockerRunner({ image, namespace, log, clock: systemClock });
  const lane = { name: `record-${provider.id}`, mirror: home };
  await runner.ensureLane(lane);
  stack.defer(() => runner.removeLane(lane));
  const inside = runner.inside(lane);

  const chunks: Buffer[] = [];
  const run = async (argv: readonly string[], command?: AgentCommand, stdin = ''): Promise<JobResult> => {
    const job: Job = {
      name: `record-${randomUUID()}`,
      owner: { runId: 'record' as RunId, epoch: 1 },
      lane,
      argv,
      env: command?.env ?? {},
      ...(command === undefined ? {} : { files: command.files }),
      ...(wire.socket === undefined ? {} : { socket: wire.socket }),
      limits: {
        idleMs: 400_000,
        wallMs: 400_000,
        memoryBytes: 2 ** 31,
        cpus: 2,
        pids: 512,
        outputBytes: 2 ** 30,
      },
    };
    return await runner.run(job, { stdin, stdout: collector(chunks), stderr: collector([]), signal: wire.hopeless });
  };

  await run(['git', 'init', '--quiet', inside.repo]);
  const commandFor = (prompt: string, resume?: string): AgentCommand =>
    provider.command({
      prompt,
      model: undefined,
      effort: undefined,
      conversation: randomUUID(),
      cwd: inside.repo,
      gatewayUrl: inside.gatewayUrl ?? '',
      placeholderKey: wire.placeholder,
      ...(resume === undefined ? {} : { resume }),
    });
  const command = commandFor(PROMPT);
  chunks.length = 0;
  const result =
    scenario.resumes === true
      ? await run(['node', '-e', TWICE], command, JSON.stringify([command, commandFor('And now?\n', RESUMED), RESUMED]))
      : await run(command.argv, command, command.stdin);
  const refusal = wire.refusal();
  const output = Buffer.concat(chunks).toString('utf8').replaceAll(wire.placeholder, 'placeholder');
  return {
    output,
    recording: {
      code: result.code,
      refusal: refusal && {
        ...(refusal.status === undefined ? {} : { status: refusal.status }),
        ...(refusal.code === undefined ? {} : { code: refusal.code }),
        ...(refusal.resetAt === undefined ? {} : { waitMs: refusal.resetAt - refusal.at }),
      },
      requests: model.requests.length,
      seconds: Math.round(result.durationMs / 1000),
    },
  };
}

function collector(chunks: Buffer[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
}
