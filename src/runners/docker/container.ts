import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Clock } from '../../domain/clock.ts';
import { around } from '../../telemetry/failpoint.ts';
import { ask, askUnless, infrastructure, statusOf } from './engine.ts';

/** Deadlines of calls to an engine that may be busy unpacking an image or starting ten containers at once. */
const CALL_MS = 30_000;
const START_MS = 120_000;

/** How long a container may outlive its SIGKILL: the kernel has to tear down its processes and mounts. */
const DEATH_MS = 60_000;

/** How long the engine may be away (a restart) while a job runs before we give the job up. */
const ABSENCE_MS = 30_000;

/** How often we look whether a container still runs, whatever its connections say. */
const LOOK_MS = 3_000;

/** How a container ended, by the engine's own record. */
export interface Exit {
  readonly code: number;
  /** Whether the kernel killed a process of it for want of memory. */
  readonly outOfMemory: boolean;
}

/**
 * Opens a raw connection to a container's standard input, or to its framed output. Apart, because a process that ends before it
 * has read all its input breaks the connection that was carrying it, and must not take the output with it.
 */
export async function attach(container: Docker.Container, what: 'input' | 'output'): Promise<Duplex> {
  const ways = what === 'input' ? { stdin: true } : { stdout: true, stderr: true };
  const opening = container.attach({ stream: true, hijack: true, ...ways });
  const stream = await ask('attach to a container', CALL_MS, opening).catch(rethrow('attach to a container'));
  return stream as Duplex;
}

/** Starts a created container. */
export async function start(container: Docker.Container): Promise<void> {
  await around('session', {
    perform: async () =>
      await ask('start a container', START_MS, container.start()).catch(rethrow('start a container')),
  });
}

/** Ends every process of a container at once. Fine if it has ended or is gone. */
export async function kill(container: Docker.Container): Promise<void> {
  await askUnless([404, 409], 'kill a container', CALL_MS, container.kill());
}

/** Kills and removes a container and its anonymous volumes. Fine if it is gone or being removed. */
export async function remove(container: Docker.Container): Promise<void> {
  await around('clean', {
    perform: async () =>
      await askUnless([404, 409], 'remove a container', DEATH_MS, container.remove({ force: true, v: true })),
  });
}

/** Describes a container. An error of the engine's is thrown as it is. */
export async function inspect(container: Docker.Container): Promise<Docker.ContainerInspectInfo> {
  return ask('look at a container', CALL_MS, container.inspect());
}

/**
 * Waits until a container has ended, and returns what the engine recorded, or `removed` when somebody removed it. A broken
 * connection is not an exit: it looks again. Throws `InfrastructureError` when the engine stays away.
 */
export async function exitOf(
  container: Docker.Container,
  clock: Clock,
  signal: AbortSignal,
): Promise<Exit | 'removed'> {
  let absentSince: number | undefined;
  for (;;) {
    try {
      await waitAWhile(container, signal);
      const { State } = await inspect(container);
      // Removal kills first: the exit code is then of no command's making.
      if (State.Status === 'removing' || State.Status === 'dead') return 'removed';
      if (!State.Running) return { code: State.ExitCode, outOfMemory: State.OOMKilled };
      absentSince = undefined;
      continue;
    } catch (error) {
      if (signal.aborted) throw error;
      if (statusOf(error) === 404) return 'removed';
      absentSince ??= clock.monotonic();
      if (clock.monotonic() - absentSince > ABSENCE_MS) throw infrastructure('wait for a container', error);
    }
    await delay(250, undefined, { signal });
  }
}

/** Until the container has ended, `LOOK_MS` have passed, or `signal`: a wait whose connection breaks may never settle. */
async function waitAWhile(container: Docker.Container, signal: AbortSignal): Promise<void> {
  const enough = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
  try {
    await Promise.race([container.wait({ abortSignal: enough }), delay(LOOK_MS, undefined, { signal })]);
  } catch (error) {
    if (signal.aborted || !enough.aborted) throw error;
  }
}

/** Waits for the end of a container that was killed. */
export async function deathOf<T>(exit: Promise<T>): Promise<T> {
  return ask('end a killed container', DEATH_MS, exit);
}

function rethrow(what: string): (error: unknown) => never {
  return (error) => {
    throw infrastructure(what, error);
  };
}
