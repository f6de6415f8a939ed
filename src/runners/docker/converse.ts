import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Clock } from '../../domain/clock.ts';
import { watchJob, type JobWatch } from '../job-watch.ts';
import { deliver, readRest, type Reading } from '../output.ts';
import { InfrastructureError, type JobIo, type JobLimits, type JobResult } from '../runner.ts';
import { attach, deathOf, exitOf, inspect, kill, start, type Exit } from './container.ts';
import { createDemux } from './demux.ts';
import { statusOf, type Patience } from './engine.ts';
import { READY } from './entry.ts';

/** An engine that goes down breaks its connections in any order, this close to each other. */
const SAME_BREAK_MS = 1_000;

/** How long after its last output a container may be seen running: the engine closes one, then records the other. */
const EXIT_AFTER_OUTPUT_MS = 5_000;

/** A container that has started and waits on its standard input for what to run. */
export interface Seat {
  readonly container: Docker.Container;
  readonly input: Duplex;
  readonly output: Duplex;
  /** How the container ended, once it has. */
  readonly exit: Promise<Exit | 'removed'>;
  /** Kills it and waits for its end. */
  end(): Promise<Exit | 'removed'>;
  /** Whether the engine answers at this moment. */
  isThere(): Promise<boolean>;
  /** Lets go of the connections to it. Leaves the container to be removed. */
  leave(): void;
}

/** Starts a created container, connected to it. */
export async function openSeat(
  container: Docker.Container,
  { clock, patience }: { readonly clock: Clock; readonly patience: Patience },
): Promise<Seat> {
  const [output, input] = await bothOrNone([
    attach(container, 'output', patience),
    attach(container, 'input', patience),
  ]);
  // A job that ends without reading its input breaks this connection; that is its right.
  input.on('error', () => {});
  const over = new AbortController();
  const leave = (): void => {
    over.abort();
    input.destroy();
    output.destroy();
  };
  try {
    await start(container, patience);
  } catch (error) {
    leave();
    throw error;
  }
  const exit = exitOf(container, { clock, patience, signal: over.signal });
  exit.catch(() => {});
  const end = async (): Promise<Exit | 'removed'> => {
    await kill(container, patience);
    return deathOf(exit, patience);
  };
  const isThere = async (): Promise<boolean> => {
    try {
      await inspect(container, patience);
      return true;
    } catch (error) {
      return (statusOf(error) ?? 500) < 500;
    }
  };
  return { container, input, output, exit, end, isThere, leave };
}

/** Whether a container that should be waiting is gone: nothing but its end can have settled this. */
export async function hasEnded(seat: Seat): Promise<boolean> {
  const ended = seat.exit.then(
    () => true,
    () => true,
  );
  return Promise.race([ended, new Promise<false>((resolve) => setImmediate(resolve, false))]);
}

/** Both connections; when one can't be had the other is broken off. */
async function bothOrNone(opening: readonly [Promise<Duplex>, Promise<Duplex>]): Promise<readonly [Duplex, Duplex]> {
  try {
    return await Promise.all(opening);
  } catch (error) {
    for (const one of opening) {
      one.then(
        (stream) => stream.destroy(),
        () => {},
      );
    }
    throw error;
  }
}

/** Gives a waiting container its `go`, speaks with it to its end, and says how it ended. Leaves the container to be removed. */
export async function converse(options: {
  readonly seat: Seat;
  readonly go: Buffer;
  readonly limits: JobLimits;
  readonly io: JobIo;
  readonly clock: Clock;
}): Promise<JobResult> {
  const { seat, go, limits, io, clock } = options;
  const { exit } = seat;
  const watch = watchJob({ limits, signal: io.signal, clock });
  const startedAt = clock.monotonic();
  try {
    const reading = readOutput({ output: seat.output, io, watch, clock });
    // Awaited below, after whatever comes first.
    reading.done.catch(() => {});
    seat.input.end(Buffer.concat([go, Buffer.from(io.stdin)]));

    // Asked at once: an engine that was killed may be there again in no time, and end its containers as if they had ended.
    const there = reading.done.then(() => seat.isThere());
    there.catch(() => {});
    const broken = reading.done.then(() => silence(exit));
    await Promise.race([exit, watch.reached, broken]);
    const limit = watch.reason();
    if (limit === undefined) watch.stop();
    const end = await (limit === undefined ? exit : seat.end());
    const durationMs = clock.monotonic() - startedAt;

    await readRest(reading, limit !== undefined);
    const code = end === 'removed' ? undefined : end.code;
    if (limit !== undefined) return { ending: limit, code, durationMs };
    if (end === 'removed') throw removedByOthers();
    if (wentWithEngine(end, reading.endedAt()) || !(await there)) throw endedWithEngine();
    // A job may survive the death of one of its processes: only what failed failed for memory.
    if (end.outOfMemory && code !== 0) return { ending: 'memory', code, durationMs };
    if (!reading.isReady()) throw setupFailed(reading.setupText(), end.code);
    return { ending: 'exited', code, durationMs };
  } finally {
    watch.stop();
    seat.leave();
  }
}

/**
 * For when the output has ended: throws if the container has not, a little later. A container's init keeps its outputs open
 * whatever the command does with them, so it was the connection that ended.
 */
async function silence(exit: Promise<unknown>): Promise<void> {
  const late = delay(EXIT_AFTER_OUTPUT_MS, 'late' as const, { ref: false });
  if ((await Promise.race([exit, late])) !== 'late') return;
  throw new InfrastructureError("The connection that carried a container's output ended before the container did");
}

interface ContainerReading extends Reading {
  /** When the output ended, on the monotonic clock; undefined while it goes on. */
  endedAt(): number | undefined;
  /** Whether the command was reached. */
  isReady(): boolean;
  /** What was said on stderr instead of that. */
  setupText(): string;
}

function readOutput(of: { output: Duplex; io: JobIo; watch: JobWatch; clock: Clock }): ContainerReading {
  const { output, io, watch, clock } = of;
  const demux = createDemux();
  let bytesRead = 0;
  let endedAt: number | undefined;
  let ready = false;
  let setupText = '';

  /** Cuts off the sign that the command starts, and keeps what is said instead of it. */
  function afterReady(bytes: Buffer): Buffer {
    if (ready) return bytes;
    if (setupText === '' && bytes[0] === READY) {
      ready = true;
      return bytes.subarray(1);
    }
    setupText = (setupText + bytes.toString()).slice(0, 2_000);
    return bytes.subarray(bytes.length);
  }

  async function read(): Promise<void> {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      for (const piece of demux.push(chunk)) {
        const sink = piece.stream === 'stdout' ? io.stdout : io.stderr;
        const bytes = piece.stream === 'stderr' ? afterReady(piece.bytes) : piece.bytes;
        if (bytes.length > 0) await deliver(bytes, sink, watch);
      }
      bytesRead += chunk.length;
    }
    if (!demux.isComplete()) throw new Error('the engine closed it in the middle of a frame');
  }

  return {
    done: read()
      .finally(() => (endedAt = clock.monotonic()))
      .catch((error: unknown) => {
        if (error instanceof InfrastructureError) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        throw new InfrastructureError(`The output of a container broke off: ${reason}`, { cause: error });
      }),
    progress: () => bytesRead,
    endedAt: () => endedAt,
    isReady: () => ready,
    setupText: () => setupText,
  };
}

function removedByOthers(): InfrastructureError {
  return new InfrastructureError(
    'The container of a job was removed while it ran: by a newer owner of its run, or by something that cleans up here',
  );
}

/** Whether the engine was gone when, or after, the output of a container ended. */
function wentWithEngine({ awayAt }: Exit, outputEndedAt: number | undefined): boolean {
  return awayAt !== undefined && outputEndedAt !== undefined && awayAt >= outputEndedAt - SAME_BREAK_MS;
}

/**
 * An engine that goes down ends its containers, with an exit code like any, or cuts off what they say: what the command would have
 * done or said is not known.
 */
function endedWithEngine(): InfrastructureError {
  return new InfrastructureError('The Docker engine went away while a job ran, and the job ended with it');
}

function setupFailed(text: string, code: number): InfrastructureError {
  const reason = text.trim() === '' ? `exit code ${code}` : text.trim();
  return new InfrastructureError(`The container could not be set up for its command: ${reason}`);
}
