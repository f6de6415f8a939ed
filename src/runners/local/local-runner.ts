import { randomBytes } from 'node:crypto';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import type { Clock } from '../../domain/clock.ts';
import { digest } from '../../domain/ids.ts';
import { around } from '../../telemetry/failpoint.ts';
import type { Log } from '../../telemetry/log.ts';
import { watchJob, type JobWatch } from '../job-watch.ts';
import { keeperOf, requireErrand, requireJob, requireName } from '../names.ts';
import { deliver, readRest, type Reading } from '../output.ts';
import { InfrastructureError, type Job, type JobIo, type JobResult, type Runner } from '../runner.ts';
import { createTurns } from '../turns.ts';
import { emptyTrash, removeTree, writeFiles } from './directories.ts';
import { createLedger } from './ledger.ts';
import { MARK, endProcesses, type JobProcesses } from './processes.ts';

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2_000;

export interface LocalRunnerOptions {
  /** Directory for lanes, HOMEs and the ledger of what runs. */
  readonly root: string;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Runs jobs as plain processes of this machine, for a trusted machine or a CI job that is thrown away. It cleans up like the Docker
 * runner and keeps the same limits but memory, processors and processes; it isolates nothing.
 */
export function createLocalRunner(options: LocalRunnerOptions): Runner {
  const { log, clock } = options;
  const root = resolve(options.root);
  const lanes = join(root, 'lanes');
  const homes = join(root, 'homes');
  const keeps = join(root, 'keeps');
  const trash = join(root, 'trash');
  const ledger = createLedger(join(root, 'jobs'));
  const inTurn = createTurns();
  let emptied: Promise<void> | undefined;

  const laneOf = (name: string): string => join(lanes, name);
  const keepOf = (lane: string): string => join(keeps, lane);
  const homeOf = (attempt: string): string => join(homes, attempt);
  /** Tells this installation's processes apart from another's. */
  const markOf = (attempt: string): string => `${attempt}.${digest(root, 12)}`;

  async function ensureLane(name: string): Promise<void> {
    requireName('lane', name, 60);
    await around('lane', { perform: async () => await mkdir(laneOf(name), { recursive: true }).catch(brokenDisk) });
  }

  /** Ends what is left of a try at a job, if anything may be, and removes its HOME. */
  async function clear(attempt: string, left: JobProcesses | undefined): Promise<void> {
    await around('clean', {
      perform: async () => {
        if (left !== undefined) await endProcesses(left, GRACE_MS, clock);
        await removeTree(homeOf(attempt), trash).catch(brokenDisk);
      },
      record: async () => await ledger.remove(attempt).catch(brokenDisk),
    });
  }

  async function clearLeftovers(name: string): Promise<void> {
    for (const { attempt, job } of await ledger.list()) {
      if (job !== name) continue;
      log.info({ job }, 'ending the leftover of an earlier try');
      await clear(attempt, { mark: markOf(attempt), group: undefined });
    }
  }

  /** Makes everything ready for a try; returns the directory to start in. */
  async function prepare(attempt: string, job: Job): Promise<string> {
    const home = homeOf(attempt);
    await around('container', {
      intent: async () => await ledger.add(attempt, job.owner).catch(brokenDisk),
      perform: async () => await mkdir(home, { recursive: true, mode: 0o700 }).catch(brokenDisk),
    });
    await ensureLane(job.lane.name);
    await writeFiles(home, job.files ?? {}).catch(brokenDisk);
    const repo = join(laneOf(job.lane.name), 'repo');
    return (await isDirectory(repo)) ? repo : laneOf(job.lane.name);
  }

  function environmentOf(attempt: string, job: Job): Record<string, string> {
    const path = process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
    return { PATH: path, LANG: 'C.UTF-8', ...job.env, HOME: homeOf(attempt), [MARK]: markOf(attempt) };
  }

  async function converse(attempt: string, job: Job, io: JobIo): Promise<JobResult> {
    let watch: JobWatch | undefined;
    const mark = markOf(attempt);
    let left: JobProcesses | undefined = { mark, group: undefined };
    try {
      const cwd = await prepare(attempt, job);
      watch = watchJob({ limits: job.limits, signal: io.signal, clock });
      const startedAt = clock.monotonic();
      const running = await around('session', {
        perform: async () => Promise.resolve(startProcess(job, cwd, environmentOf(attempt, job))),
      });
      left = { mark, group: running.group };
      const reading = readBoth(running, io, watch);
      reading.done.catch(() => {});
      running.stdin.on('error', () => {});
      running.stdin.end(io.stdin);

      const broken = reading.done.then(() => new Promise<never>(() => {}));
      const first = await Promise.race([running.exit, watch.reached, broken]);
      if (typeof first !== 'string') watch.stop();
      // What the command left running holds its output open, too.
      await endProcesses(left, GRACE_MS, clock);
      left = undefined;
      const code = await running.exit;
      const durationMs = clock.monotonic() - startedAt;
      const limit = watch.reason();
      await readRest(reading, limit !== undefined);
      return { ending: limit ?? 'exited', code: code.value, durationMs };
    } finally {
      watch?.stop();
      await clear(attempt, left).catch((error: unknown) => {
        log.error({ err: error, job: job.name }, 'a job could not be cleaned up');
      });
    }
  }

  async function run(job: Job, io: JobIo): Promise<JobResult> {
    requireJob(job);
    if (io.signal.aborted) return { ending: 'aborted', code: undefined, durationMs: 0 };
    await clearLeftovers(job.name);
    return converse(`${job.name}.${randomBytes(4).toString('hex')}`, job, io);
  }

  async function release(lane: string): Promise<void> {
    requireName('lane', lane, 60);
    await removeTree(keepOf(lane), trash).catch(brokenDisk);
  }

  return {
    name: 'local',
    wire: 'loopback',
    isolation:
      'NO ISOLATION: jobs are plain processes of this machine. They can read and write whatever this user can, reach every network, ' +
      'and are not limited in memory, processors or processes. For machines that are trusted or thrown away only.',

    async check() {
      await mkdir(root, { recursive: true }).catch(brokenDisk);
      // Once: later the trash holds what is being deleted by us.
      emptied ??= emptyTrash(trash);
      await emptied.catch(brokenDisk);
      return { image: undefined, engine: `${process.platform} ${process.arch}, no isolation` };
    },

    ensureLane: async ({ name }) => {
      await ensureLane(name);
      return false;
    },
    async removeLane({ name }) {
      requireName('lane', name, 60);
      await release(name);
      await around('discard', { perform: async () => await removeTree(laneOf(name), trash).catch(brokenDisk) });
    },
    async listLanes() {
      return readdir(lanes).catch(() => []);
    },
    inside: (lane) => ({
      repo: join(laneOf(lane.name), 'repo'),
      mirror: lane.mirror,
      tree: undefined,
      keep: keepOf(lane.name),
      gatewayUrl: undefined,
    }),

    run,
    // A process is started in no time.
    seat: async () => {},
    async tend(errand, io) {
      requireErrand(errand);
      await mkdir(keeps, { recursive: true }).catch(brokenDisk);
      const job = { ...errand, name: keeperOf(errand.lane), env: {} };
      return inTurn(errand.lane.name, () => run(job, { ...io, stdin: '' }));
    },
    release: ({ name }) => release(name),

    async reap(keep) {
      const reaped: string[] = [];
      for (const { attempt, job, owner } of await ledger.list()) {
        if (owner !== undefined && keep(owner)) continue;
        await clear(attempt, { mark: markOf(attempt), group: undefined });
        reaped.push(job);
      }
      return reaped;
    },

    close: async () => {},
  };
}

interface Running {
  readonly group: number | undefined;
  readonly stdin: NodeJS.WritableStream;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The command's exit code, once the command itself has ended. */
  readonly exit: Promise<{ readonly value: number | undefined }>;
}

/** Starts a command as the leader of a process group of its own. A command that can't be started ends like in a shell: 126 or 127. */
function startProcess(job: Job, cwd: string, env: Record<string, string>): Running {
  const [command = '', ...args] = job.argv;
  const subprocess = execa(command, args, {
    cwd,
    env,
    extendEnv: false,
    detached: true,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
  });
  const { promise: exit, resolve, reject } = Promise.withResolvers<{ value: number | undefined }>();
  subprocess.nodeChildProcess.once('exit', (code, signal) => {
    resolve({ value: code ?? (signal === null ? undefined : 128 + constants.signals[signal]) });
  });
  void subprocess.then((result) => {
    if (result.code === 'ENOENT') resolve({ value: 127 });
    else if (result.code === 'EACCES' || result.code === 'ENOEXEC') resolve({ value: 126 });
    else if (subprocess.pid === undefined) {
      reject(
        new InfrastructureError(`The command could not be started: ${result.originalMessage ?? result.code ?? ''}`),
      );
    }
  });
  exit.catch(() => {});
  const { pid: group, stdin, stdout, stderr } = subprocess;
  return { group, stdin, stdout, stderr, exit };
}

function readBoth(running: Running, io: JobIo, watch: JobWatch): Reading {
  let bytesRead = 0;
  async function read(source: Readable, sink: JobIo['stdout']): Promise<void> {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      await deliver(chunk, sink, watch);
      bytesRead += chunk.length;
    }
  }
  return {
    done: Promise.all([read(running.stdout, io.stdout), read(running.stderr, io.stderr)]),
    progress: () => bytesRead,
  };
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

function brokenDisk(error: unknown): never {
  throw new InfrastructureError(`The disk of the local runner failed: ${error instanceof Error ? error.message : ''}`, {
    cause: error,
  });
}
