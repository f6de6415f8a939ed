import { closeSync, openSync, readSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../domain/clock.ts';
import { InfrastructureError } from '../runner.ts';

/** Environment variable by which a job's processes are known, also when they left its process group. */
export const MARK = 'MAESTRO_JOB';

/** Between looks at the process table. */
const LOOK_MS = 25;

/** How long after SIGKILL processes may still be there: uninterruptible system calls end when they end. */
const DEATH_MS = 20_000;

/** What tells the processes of one job. */
export interface JobProcesses {
  /** Value of `MARK` in their environment. */
  readonly mark: string;
  /** Their process group, when it is known. */
  readonly group: number | undefined;
}

/**
 * Ends every process of a job: SIGTERM, `graceMs` to comply, SIGKILL, until none is left. Throws `InfrastructureError` when some
 * will not die.
 */
export async function endProcesses(job: JobProcesses, graceMs: number, clock: Clock): Promise<void> {
  const start = clock.monotonic();
  const asked = new Set<number>();
  let emptyLooks = 0;
  for (;;) {
    const pids = livingProcesses(job);
    emptyLooks = pids.length === 0 ? emptyLooks + 1 : 0;
    // One look can miss a process whose parent ended while we looked.
    if (emptyLooks === 2) return;
    const waited = clock.monotonic() - start;
    if (waited > graceMs + DEATH_MS)
      throw new InfrastructureError(`Processes ${pids.join(', ')} of a job will not end`);
    for (const pid of pids) {
      if (waited >= graceMs) signal(pid, 'SIGKILL');
      else if (!asked.has(pid)) signal(pid, 'SIGTERM');
      asked.add(pid);
    }
    await delay(LOOK_MS);
  }
}

/** Ids of a job's living processes. Where there is no `/proc`, a living group stands for all of its processes: its negative id. */
export function livingProcesses({ mark, group }: JobProcesses): readonly number[] {
  const pids = pidsOfAll();
  if (pids === undefined) return group !== undefined && signal(-group, 0) ? [-group] : [];
  const line = Buffer.from(`${MARK}=${mark}\0`);
  return pids.filter((pid) => isInGroup(pid, group) || carries(pid, line)).map(Number);
}

function pidsOfAll(): readonly string[] | undefined {
  try {
    return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  } catch {
    return undefined;
  }
}

function isInGroup(pid: string, group: number | undefined): boolean {
  if (group === undefined) return false;
  const stat = read(`/proc/${pid}/stat`).toString('latin1');
  // "pid (name, which may hold anything) state ppid pgrp …"
  const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(pgrp) === group && state !== 'Z';
}

/** Whether a process carries the mark. One of another user, a zombie, or one that just ended, shows no environment: it doesn't. */
function carries(pid: string, line: Buffer): boolean {
  const environment = read(`/proc/${pid}/environ`);
  const at = environment.indexOf(line);
  return at === 0 || (at > 0 && environment[at - 1] === 0);
}

/** What is read into: a buffer for every file of every process is more garbage than all else a worker makes. */
let space = Buffer.alloc(64 * 1024);

/**
 * A file of `/proc`; nothing when it can't be read. The bytes hold until the next call. Not by way of the thread pool: it is in memory,
 * and the four trips would take longer than all else of a look.
 */
function read(file: string): Buffer {
  let opened: number | undefined;
  try {
    opened = openSync(file, 'r');
    for (let length = 0; ;) {
      if (length === space.length) space = Buffer.concat([space, Buffer.alloc(length)]);
      const more = readSync(opened, space, length, space.length - length, null);
      if (more === 0) return space.subarray(0, length);
      length += more;
    }
  } catch {
    return Buffer.alloc(0);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

/** Sends a signal; false when there is nobody to get it. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
