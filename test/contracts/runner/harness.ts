import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { systemClock, type Clock } from '../../../src/domain/clock.ts';
import type { RunId } from '../../../src/domain/ids.ts';
import { createDockerRunner, type DockerRunnerOptions } from '../../../src/runners/docker/docker-runner.ts';
import { engineAt } from '../../../src/runners/docker/engine-address.ts';
import { createLocalRunner } from '../../../src/runners/local/local-runner.ts';
import type {
  ImageChoice,
  Job,
  JobIo,
  JobLimits,
  JobOwner,
  JobResult,
  LaneRef,
  Runner,
} from '../../../src/runners/runner.ts';
import { clearEngine } from '../../setup/clear-engine.ts';
import { createEngineProxy, type EngineProxy } from '../../setup/engine-proxy.ts';
import { createLog } from '../../../src/telemetry/log.ts';

const log = createLog({ level: 'silent' });

/** An installation of Maestro: every runner made from one shares its lanes and jobs with the others made from it. */
export interface Installation {
  runner(clock?: Clock): Runner;
  /** Name of the installation on an engine. */
  readonly namespace: string;
  /** Directory on the host to be used as a mirror. */
  readonly mirror: string;
  /** Removes everything it made. */
  remove(): Promise<void>;
}

export type Install = () => Promise<Installation>;

export function installDocker(options: {
  host: string;
  image: string;
  docker?: Docker.DockerOptions;
  treesBytes?: number;
  more?: Partial<Pick<DockerRunnerOptions, 'patience' | 'overlays'>>;
}): Install {
  const engine = engineAt(options.host);
  return async () => {
    const namespace = randomName('t');
    const directory = await mkdtemp(join(tmpdir(), 'maestro-runner-'));
    const mirror = join(directory, 'mirror');
    await mkdir(mirror);
    const runners: Runner[] = [];
    const runner = (clock = systemClock): Runner => {
      const made = createDockerRunner({
        docker: options.docker ?? engine,
        image: options.image,
        namespace,
        log,
        ...(options.treesBytes === undefined ? {} : { treesBytes: options.treesBytes }),
        clock,
        ...options.more,
      });
      runners.push(made);
      return made;
    };
    return {
      runner,
      namespace,
      mirror,
      async remove() {
        await Promise.all(runners.map((one) => one.close()));
        await clearEngine(new Docker(engine), namespace);
        await rm(directory, { recursive: true, force: true });
      },
    };
  };
}

/** An installation whose calls to the engine go through a proxy. The caller removes the one and disposes of the other. */
export async function installBehindProxy(
  options: Omit<Parameters<typeof installDocker>[0], 'docker'>,
): Promise<{ readonly proxy: EngineProxy; readonly installation: Installation }> {
  const proxy = await createEngineProxy(engineAt(options.host).socketPath ?? '');
  return { proxy, installation: await installDocker({ ...options, docker: { socketPath: proxy.socketPath } })() };
}

export const installLocal: Install = async () => {
  const root = await mkdtemp(join(tmpdir(), 'maestro-runner-'));
  const mirror = join(root, 'mirror');
  await mkdir(mirror);
  const runner = (): Runner => createLocalRunner({ root: join(root, 'local'), log, clock: systemClock });
  return {
    runner,
    namespace: 'local',
    mirror,
    async remove() {
      await runner().reap(() => false);
      await rm(root, { recursive: true, force: true });
    },
  };
};

export const GENEROUS: JobLimits = {
  idleMs: 60_000,
  wallMs: 90_000,
  memoryBytes: 256 * 1024 * 1024,
  cpus: 1,
  pids: 128,
  outputBytes: 1_000_000_000,
};

export function owner(epoch = 1): JobOwner {
  return { runId: 'rcontract' as RunId, epoch };
}

export function laneOf(installation: Installation, name = randomName('lane')): LaneRef {
  return { name, mirror: installation.mirror };
}

/** What a job is asked to do; the rest is usual. */
export interface Ask {
  readonly argv: readonly string[];
  readonly lane: LaneRef;
  readonly name?: string;
  readonly owner?: JobOwner;
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string>;
  readonly socket?: string;
  readonly image?: ImageChoice;
  readonly limits?: Partial<JobLimits>;
  readonly stdin?: string;
  readonly stdout?: Writable;
  readonly signal?: AbortSignal;
}

export interface Told extends JobResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one job and collects what it prints. */
export async function ask(runner: Runner, what: Ask): Promise<Told> {
  const stdout = collector();
  const stderr = collector();
  const job: Job = {
    name: what.name ?? randomName('job'),
    owner: what.owner ?? owner(),
    lane: what.lane,
    argv: what.argv,
    env: what.env ?? {},
    limits: { ...GENEROUS, ...what.limits },
    ...(what.files === undefined ? {} : { files: what.files }),
    ...(what.socket === undefined ? {} : { socket: what.socket }),
    ...(what.image === undefined ? {} : { image: what.image }),
  };
  const io: JobIo = {
    stdin: what.stdin ?? '',
    stdout: what.stdout ?? stdout.sink,
    stderr: stderr.sink,
    signal: what.signal ?? new AbortController().signal,
  };
  const result = await runner.run(job, io);
  return { ...result, stdout: stdout.text(), stderr: stderr.text() };
}

/** Has the lane's keeper do something and collects what it prints. */
export async function tend(
  runner: Runner,
  what: Pick<Ask, 'argv' | 'lane' | 'owner' | 'limits' | 'stdout' | 'signal'>,
): Promise<Told> {
  const stdout = collector();
  const stderr = collector();
  const result = await runner.tend(
    { lane: what.lane, owner: what.owner ?? owner(), argv: what.argv, limits: { ...GENEROUS, ...what.limits } },
    {
      stdout: what.stdout ?? stdout.sink,
      stderr: stderr.sink,
      signal: what.signal ?? new AbortController().signal,
    },
  );
  return { ...result, stdout: stdout.text(), stderr: stderr.text() };
}

/** `sh -c script`. */
export function sh(script: string): readonly string[] {
  return ['sh', '-c', script];
}

export function collector(): { readonly sink: Writable; text(): string } {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { sink, text: () => Buffer.concat(chunks).toString() };
}

/** A sink that tells when `text` has come through it. */
export function waitingFor(text: string): { readonly sink: Writable; readonly seen: Promise<void> } {
  const { promise: seen, resolve } = Promise.withResolvers<void>();
  let heard = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      heard += chunk.toString();
      if (heard.includes(text)) resolve();
      done();
    },
  });
  return { sink, seen };
}

export function randomName(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`;
}

/** A number of seconds for `sleep` that no other process sleeps for. */
export function oddSeconds(): string {
  return `9${randomBytes(3).readUIntBE(0, 3)}`;
}

/** Living processes of this machine, those in containers too, whose command line holds `text`. */
export async function processesWith(text: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const lines = await Promise.all(pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' ')).filter((line) => line.includes(text));
}

/** Waits until there are such processes, or none. */
export async function untilProcesses(text: string, there: boolean): Promise<readonly string[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await processesWith(text);
    if (found.length > 0 === there) return found;
    await delay(50);
  }
  return processesWith(text);
}
