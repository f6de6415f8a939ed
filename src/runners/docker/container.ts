import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Clock } from '../../domain/clock.ts';
import { around } from '../../telemetry/failpoint.ts';
import { ask, statusOf, type Patience } from './engine.ts';

/** How a container ended, by the engine's own record. */
export interface Exit {
  readonly code: number;
  /** Whether the kernel killed a process of it for want of memory. */
  readonly outOfMemory: boolean;
  /** When the engine was last found gone, on the monotonic clock; undefined if it was there all along. */
  readonly awayAt: number | undefined;
}

/**
 * Opens a raw connection to a container's standard input, or to its framed output. Apart, because a process that ends before it
 * has read all its input breaks the connection that was carrying it, and must not take the output with it.
 */
export async function attach(
  container: Docker.Container,
  what: 'input' | 'output',
  { callMs }: Patience,
): Promise<Duplex> {
  const ways = what === 'input' ? { stdin: true } : { stdout: true, stderr: true };
  const stream = await ask('attach to a container', callMs, (abortSignal) =>
    container.attach({ stream: true, hijack: true, ...ways, abortSignal }),
  );
  return stream as Duplex;
}

/** Starts a created container. */
export async function start(container: Docker.Container, { startMs }: Patience): Promise<void> {
  await around('session', {
    perform: async () => await ask('start a container', startMs, (abortSignal) => container.start({ abortSignal })),
  });
}

/** Ends every process of a container at once. Fine if it has ended or is gone. */
export async function kill(container: Docker.Container, { callMs }: Patience): Promise<void> {
  await ask('kill a container', callMs, (abortSignal) => container.kill({ abortSignal })).catch((error: unknown) => {
    if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
  });
}

/**
 * Kills and removes a container and its anonymous volumes. Fine if it is gone; one that somebody else is removing, such as our own
 * earlier call that an engine which hung carries out now, is waited for.
 */
export async function remove(container: Docker.Container, { deathMs }: Patience): Promise<void> {
  await around('clean', {
    perform: async () =>
      await ask('remove a container', deathMs, (abortSignal) =>
        container.remove({ force: true, v: true, abortSignal }),
      ).catch(async (error: unknown) => {
        if (statusOf(error) === 409) await untilRemoved(container, deathMs);
        else if (statusOf(error) !== 404) throw error;
      }),
  });
}

/** Until a container that is being removed is gone, or `ms` are over: whoever needs it gone finds out. */
async function untilRemoved(container: Docker.Container, ms: number): Promise<void> {
  await ask('remove a container', ms, (abortSignal) => container.wait({ condition: 'removed', abortSignal })).catch(
    () => {},
  );
}

/** Describes a container. */
export async function inspect(container: Docker.Container, { callMs }: Patience): Promise<Docker.ContainerInspectInfo> {
  return ask('look at a container', callMs, (abortSignal) => container.inspect({ abortSignal }));
}

/**
 * Waits until a container has ended, and returns what the engine recorded, or `removed` when somebody removed it. A broken
 * connection is not an exit: it looks again. Throws `InfrastructureError` when the engine stays away.
 */
export async function exitOf(
  container: Docker.Container,
  of: { readonly clock: Clock; readonly patience: Patience; readonly signal: AbortSignal },
): Promise<Exit | 'removed'> {
  const { clock, patience, signal } = of;
  let absentSince: number | undefined;
  let awayAt: number | undefined;
  for (;;) {
    try {
      await waitAWhile(container, patience.lookMs, signal);
      const { State } = await inspect(container, patience);
      // Removal kills first: the exit code is then of no command's making.
      if (State.Status === 'removing' || State.Status === 'dead') return 'removed';
      if (!State.Running) return { code: State.ExitCode, outOfMemory: State.OOMKilled, awayAt };
      absentSince = undefined;
      continue;
    } catch (error) {
      if (signal.aborted) throw error;
      if (statusOf(error) === 404) return 'removed';
      awayAt = clock.monotonic();
      absentSince ??= awayAt;
      if (awayAt - absentSince > patience.absenceMs) throw error;
    }
    await delay(250, undefined, { signal });
  }
}

/** Until the container has ended, `lookMs` have passed, or `signal`: a wait whose connection breaks may never settle. */
async function waitAWhile(container: Docker.Container, lookMs: number, signal: AbortSignal): Promise<void> {
  const enough = AbortSignal.any([signal, AbortSignal.timeout(lookMs)]);
  try {
    await ask('wait for a container', 2 * lookMs, () =>
      Promise.race([container.wait({ abortSignal: enough }), delay(lookMs, undefined, { signal })]),
    );
  } catch (error) {
    if (signal.aborted || !enough.aborted) throw error;
  }
}

/** Waits for the end of a container that was killed. */
export async function deathOf<T>(exit: Promise<T>, { deathMs }: Patience): Promise<T> {
  return ask('end a killed container', deathMs, () => exit);
}
