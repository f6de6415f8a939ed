import { writeSync } from 'node:fs';
import { pino, type DestinationStream, type Logger } from 'pino';

/** The logger every part takes as an argument. Messages are static; what varies goes in fields. */
export type Log = Logger;

/** Fields that may hold a credential, wherever they appear in what is logged. */
const SECRET_FIELDS = ['authorization', 'token', 'key', 'secret', 'privateKey', 'password'];

/**
 * Makes the process's logger: JSON lines on standard error, so that standard output stays a program's answer.
 * `level` is a pino level or `silent`.
 */
export function createLog(options: { readonly level: string; readonly destination?: DestinationStream }): Log {
  const redact = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);
  return pino(
    { level: options.level, redact: { paths: redact, censor: '[redacted]' }, base: null },
    options.destination ?? standardError(),
  );
}

/**
 * Standard error, whose trouble (a closed pipe, a full disk behind it) is no trouble of ours: what can't be written is dropped. pino's
 * own writer tries again for ever at the end of the process when the disk is full, so that it never ends.
 */
function standardError(): DestinationStream {
  return {
    write: (line) => {
      try {
        writeSync(2, line);
      } catch {
        // There is nowhere to say so.
      }
    },
  };
}
