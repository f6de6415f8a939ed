import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import Docker from 'dockerode';
import { DEFAULT_SCRIPT } from '../local-model/script.ts';
import { startModelEndpoint } from '../local-model/server.ts';
import { systemClock } from '../src/domain/clock.ts';
import type { RunId } from '../src/domain/ids.ts';
import { createGateway } from '../src/gateway/create-gateway.ts';
import type { Gateway, Wire } from '../src/gateway/gateway.ts';
import type { AgentCommand, Provider } from '../src/providers/provider.ts';
import { createProviders } from '../src/providers/registry.ts';
import { createDockerRunner } from '../src/runners/docker/docker-runner.ts';
import { engineAt } from '../src/runners/docker/engine-address.ts';
import { AGENT_UID } from '../src/runners/docker/entry.ts';
import { tarOf } from '../src/runners/docker/tar.ts';
import type { Job, LaneRef, Runner } from '../src/runners/runner.ts';
import { createLog } from '../src/telemetry/log.ts';
import type { Bench, Figure } from './figure.ts';
import { median } from './statistics.ts';

/** Longest a CLI may take to ask its model. Milliseconds. */
const PATIENCE_MS = 60_000;

const LIMITS = { idleMs: 1e6, wallMs: 1e6, memoryBytes: 2 ** 31, cpus: 2, pids: 512, outputBytes: 2 ** 30 };

/** What all starts of one measurement share. */
interface Place {
  readonly runner: Runner;
  readonly lane: LaneRef;
  readonly gateway: Gateway;
  readonly docker: Docker;
  readonly image: string;
  readonly provider: Provider;
  readonly modelUrl: string;
  /** Settles when the model is asked next. */
  asked(): Promise<number>;
}

/** From a task being ready to its CLI's first request at the model, beside the same CLI started by hand in a plain container. */
export const cold: Bench = async ({ quick, components, say }) => {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'maestro-bench-cold-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  let heard: ((at: number) => void) | undefined;
  const script = (): typeof DEFAULT_SCRIPT => {
    heard?.(performance.now());
    return DEFAULT_SCRIPT;
  };
  const model = stack.use(await startModelEndpoint({ port: 0, script }));
  const log = createLog({ level: 'silent' });
  const gateway = createGateway({ directory: join(home, 'wires'), log, clock: systemClock });
  stack.defer(() => gateway.close());
  const image = await components.agentImage();
  const engine = engineAt(await components.dockerHost());
  const namespace = `bench-${process.pid}`;
  const runner = createDockerRunner({ docker: engine, image, namespace, log, clock: systemClock });
  const lane = { name: 'cold', mirror: home };
  await runner.ensureLane(lane);
  stack.defer(async () => {
    await runner.removeLane(lane);
    await runner.close();
  });
  const figures: Figure[] = [];
  for (const provider of Object.values(createProviders({ scriptedAgent: '' }))) {
    if (provider.cli === undefined) continue;
    const place: Place = {
      runner,
      lane,
      gateway,
      image,
      provider,
      modelUrl: model.url,
      docker: new Docker(engine),
      asked: () =>
        new Promise((resolve, reject) => {
          const late = setTimeout(() => reject(new Error(`${provider.id} asked its model nothing`)), PATIENCE_MS);
          heard = (at) => {
            clearTimeout(late);
            resolve(at);
          };
        }),
    };
    const times = { hand: [], ours: [], ahead: [] } as Record<'hand' | 'ours' | 'ahead', number[]>;
    // The first round brings the CLI's files into the machine's memory.
    for (let round = 0; round <= (quick ? 1 : 4); round += 1) {
      const took = { hand: await byHand(place), ours: await inJob(place, false), ahead: await inJob(place, true) };
      if (round > 0) for (const kind of ['hand', 'ours', 'ahead'] as const) times[kind].push(took[kind]);
    }
    const [hand, ours, ahead] = [median(times.hand), median(times.ours), median(times.ahead)];
    say(
      `${provider.id}: ${Math.round(ours)} ms, ${Math.round(ahead)} with its place made ahead, ${Math.round(hand)} by hand`,
    );
    figures.push({
      name: `cold start of ${provider.id}`,
      ours,
      baseline: hand,
      unit: 'ms',
      target: { most: 1.15 },
      note: `task ready → first request at the model, with nothing made ahead (with its place made ahead, as for every task but the first: ${Math.round(ahead)} ms); baseline: the same command in a plain container on the host's network, created, started and fed by hand`,
    });
  }
  return figures;
};

/** Milliseconds until the model is asked by a job of ours; with `ahead`, its place is there when the clock starts. */
async function inJob(place: Place, ahead: boolean): Promise<number> {
  const { runner, lane, provider } = place;
  const inside = runner.inside(lane);
  const session = randomUUID().slice(0, 8);
  const seat = async (wire: Wire): Promise<Omit<Job, 'argv' | 'env'>> => {
    const socket = wire.socket === undefined ? {} : { socket: wire.socket };
    return { name: `cold-${session}`, owner: { runId: 'bench' as RunId, epoch: 1 }, lane, limits: LIMITS, ...socket };
  };
  let began = performance.now();
  await using wire = await open(place, session, 'socket');
  const spot = await seat(wire);
  if (ahead) {
    await runner.seat(spot);
    began = performance.now();
  }
  const command = commandOf(provider, inside.repo, inside.gatewayUrl ?? '', wire);
  const asked = place.asked();
  const stop = new AbortController();
  const argv = ['sh', '-c', START, 'maestro-agent', inside.repo, ...command.argv];
  const job: Job = { ...spot, argv, env: command.env, files: command.files };
  const running = runner.run(job, { stdin: command.stdin, stdout: nowhere(), stderr: nowhere(), signal: stop.signal });
  running.catch(() => {});
  const at = await asked;
  stop.abort();
  await running;
  return at - began;
}

/** Milliseconds until the model is asked by the same command in a container nobody hardened. */
async function byHand(place: Place): Promise<number> {
  const { docker, image, provider, runner, lane } = place;
  const { repo } = runner.inside(lane);
  await using wire = await open(place, randomUUID().slice(0, 8), 'loopback');
  const command = commandOf(provider, repo, wire.url ?? '', wire);
  const asked = place.asked();
  const began = performance.now();
  const container = await docker.createContainer({
    Image: image,
    Cmd: ['sh', '-c', START, 'by-hand', repo, ...command.argv],
    Env: Object.entries({ HOME: '/home/agent', ...command.env }).map(([name, value]) => `${name}=${value}`),
    Labels: { 'maestro-bench': '1' },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    HostConfig: { NetworkMode: 'host', Init: true },
  });
  try {
    if (Object.keys(command.files).length > 0)
      await container.putArchive(tarOf(command.files, AGENT_UID), { path: '/home/agent' });
    const input = await container.attach({ stream: true, hijack: true, stdin: true });
    await container.start();
    input.end(command.stdin);
    return (await asked) - began;
  } finally {
    await container.remove({ force: true, v: true });
  }
}

/** A working copy to start in, with a repository, as some CLIs want one. */
const START = 'cd "$1" 2>/dev/null || { git init -q "$1" && cd "$1"; }; shift; exec "$@"';

async function open(place: Place, session: string, listen: 'socket' | 'loopback'): Promise<Wire> {
  const { gateway, provider, modelUrl } = place;
  const model = { protocol: provider.protocol ?? 'openai', upstream: modelUrl, key: 'bench-key' } as const;
  return await gateway.open({ session, listen, hosts: [], model, budget: {} });
}

function commandOf(provider: Provider, cwd: string, gatewayUrl: string, wire: Wire): AgentCommand {
  return provider.command({
    prompt: '# Task\nWrite hello.txt\n',
    model: undefined,
    effort: undefined,
    conversation: randomUUID(),
    cwd,
    gatewayUrl,
    placeholderKey: wire.placeholder,
  });
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
