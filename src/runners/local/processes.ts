import { readFile, readdir } from 'node:fs/promises';
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
    const pids = await livingProcesses(job);
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
export async function livingProcesses({ mark, group }: JobProcesses): Promise<readonly number[]> {
  const entries = await readdir('/proc').catch(() => undefined);
  if (entries === undefined) return group !== undefined && signal(-group, 0) ? [-group] : [];
  const line = Buffer.from(`${MARK}=${mark}\0`);
  const pids = entries.filter((entry) => /^\d+$/.test(entry));
  const living = await Promise.all(
    pids.map(async (pid) => ((await isInGroup(pid, group)) || (await carries(pid, line)) ? [Number(pid)] : [])),
  );
  return living.flat();
}

async function isInGroup(pid: string, group: number | undefined): Promise<boolean> {
  if (group === undefined) return false;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // "pid (name, which may hold anything) state ppid pgrp …"
  const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(pgrp) === group && state !== 'Z';
}

/** Whether a process carries the mark. One of another user, a zombie, or one that just ended, shows no environment: it doesn't. */
async function carries(pid: string, line: Buffer): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`).catch(() => Buffer.alloc(0));
  const at = environment.indexOf(line);
  return at === 0 || (at > 0 && environment[at - 1] === 0);
}

/** Sends a signal; false when there is nobody to get it. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
