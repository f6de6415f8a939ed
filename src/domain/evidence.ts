/*
 * What the engine itself saw of the playbook's checks, never what an agent said of them.
 */

/** A check of the playbook's that the engine ran on a task's work. */
export interface Check {
  readonly command: string;
  readonly durationMs: number;
  /** Exit code; left out where it is not known. */
  readonly code?: number;
  /** How it was ended, where it did not end by itself. */
  readonly ended?: 'idle' | 'wall' | 'output' | 'memory' | 'aborted';
  /** The last of what it printed. */
  readonly tail?: string;
}

/** What stands with a task's outcome for people to judge it by. */
export interface Evidence {
  /** The checks of the attempt that the outcome is of: all passed, or the last one failed. */
  readonly checks?: readonly Check[];
  /** Attempts before it whose checks failed, oldest first. */
  readonly failedBefore?: readonly FailedChecks[];
}

/** An attempt that was not taken because a check failed on its work. */
export interface FailedChecks {
  readonly attempt: number;
  readonly check: Check;
}

/** Attempts that are told about; the oldest go first. */
const ATTEMPTS = 10;

/** Characters of what a check printed that are kept with the record; a session's log has more. */
const TAIL = 2_000;

/** A check as the record keeps it. What a job's end says stands for it alone: a check that was ended has no exit code of its own. */
export function checkOf(
  command: string,
  result: { readonly ending: 'exited' | NonNullable<Check['ended']>; readonly code: number | undefined },
  of: { readonly durationMs: number; readonly output: string },
): Check {
  const { ending, code } = result;
  const tail = of.output.slice(-TAIL).toWellFormed();
  return {
    command,
    durationMs: Math.round(of.durationMs),
    ...(ending === 'exited' ? (code === undefined ? {} : { code }) : { ended: ending }),
    ...(tail.trim() === '' ? {} : { tail }),
  };
}

/** Whether a check passed. */
export function isPassed({ code, ended }: Check): boolean {
  return ended === undefined && code === 0;
}

const ENDED: Readonly<Record<NonNullable<Check['ended']>, string>> = {
  idle: 'ended after printing nothing for too long',
  wall: 'ended after taking too long',
  output: 'ended after printing too much',
  memory: 'ended after using too much memory',
  aborted: 'ended from outside',
};

/** How a check ended, in words: `exit code 1`. */
export function howItEnded({ code, ended }: Check): string {
  return ended === undefined ? `exit code ${code ?? 'unknown'}` : ENDED[ended];
}

/** What of a session tells how its checks ended. */
interface CheckedSession {
  readonly id: string;
  readonly attempt: number;
  readonly checks?: readonly Check[];
}

/** The evidence for what an attempt has come to, from its own session and those the task has had before. */
export function evidenceOf(session: CheckedSession, earlier: readonly CheckedSession[]): Evidence {
  const failedBefore = earlier.flatMap(({ id, attempt, checks = [] }) => {
    const last = checks.at(-1);
    return id === session.id || last === undefined || isPassed(last) ? [] : [{ attempt, check: last }];
  });
  return {
    ...(session.checks === undefined ? {} : { checks: session.checks }),
    ...(failedBefore.length === 0 ? {} : { failedBefore: failedBefore.slice(-ATTEMPTS) }),
  };
}
