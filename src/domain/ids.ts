import { createHash } from 'node:crypto';

/** Identity of a run: `r` and 15 base-32 digits, derived from the trigger's natural key, so the same request names the same run. */
export type RunId = string & { readonly brand: 'RunId' };
/** Identity of one attempt at one task: `<run id>-<task position>-<attempt>`. */
export type SessionId = string & { readonly brand: 'SessionId' };
/** Identity of a task inside its document: hash of its text, `-`, and its occurrence among equal texts. Never a line number. */
export type TaskKey = string & { readonly brand: 'TaskKey' };

/** RFC 4648 base 32 in lower case, without the digits and letters people confuse being an issue: it is never typed by hand. */
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Lower-case base-32 digest of `text`, `length` digits of 5 bits each (at most 51). */
export function digest(text: string, length: number): string {
  const bytes = createHash('sha256').update(text).digest();
  let out = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && out.length < length) {
      bits -= 5;
      out += BASE32[(value >>> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return out;
}

/**
 * The run a natural key names. Starts with a letter and holds no `:`, because BullMQ takes neither all-digit job ids nor colons.
 */
export function runIdFor(naturalKey: string): RunId {
  return `r${digest(naturalKey, 15)}` as RunId;
}

/** The session that is attempt `attempt` (from 1) at the task at `position` (from 1) of a run. */
export function sessionIdFor(run: RunId, position: number, attempt: number): SessionId {
  return `${run}-${position}-${attempt}` as SessionId;
}

/** The short form of a run id that people see in branch names: 7 characters. */
export function shortRunId(run: RunId): string {
  return run.slice(1, 8);
}
