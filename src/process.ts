import { readEnvFile } from './env-file.ts';
import { ConfigError, readConfig, type Config } from './config.ts';

/** EX_SOFTWARE of sysexits.h: we broke, and a supervisor should start us again. */
const BROKEN = 70;

/**
 * Runs a long-lived program: reads the configuration (from the environment, and a file `.env` here), starts it, and stops it on SIGTERM or SIGINT. A configuration that can't be
 * used is said in plain words with exit code 78 (EX_CONFIG, sysexits.h), any other reason not to start with 1. A failure nobody
 * caught ends the process with 70, because what it left half done is put right at a start and only there. A second signal ends
 * the process at once.
 */
export async function runProcess(start: (config: Config) => Promise<AsyncDisposable>): Promise<void> {
  process.on('uncaughtException', (error: unknown) => {
    if (isStarved(error)) {
      say(`A program could not be started, and what needed it waits: ${reasonOf(error)}`);
      return;
    }
    say(`Maestro broke and ends now, to be started again: ${detailOf(error)}`);
    process.exit(BROKEN);
  });
  try {
    readEnvFile();
    await using running = await start(readConfig(process.env));
    await untilSignal();
    void running;
  } catch (error) {
    process.exitCode = error instanceof ConfigError ? 78 : 1;
    say(error instanceof ConfigError ? error.message : `Maestro did not start: ${reasonOf(error)}`);
  }
  // Libraries may keep timers for connections that broke; what is ours has been disposed of.
  process.exit();
}

/**
 * Whether the machine had no more files, processes or memory to start a program with. Whoever wanted it has been told; a library
 * (simple-git) tells it a second time where nobody can catch it, and ending would only make matters worse.
 */
function isStarved(error: unknown): boolean {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall?.startsWith('spawn') === true && ['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'].includes(code ?? '');
}

/** Resolves at the first SIGTERM or SIGINT. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      resolve();
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.off(signal, stop);
        process.once(signal, () => process.exit(130));
      }
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  });
}

/** Nobody may be listening any more: that must not keep us from ending. */
function say(text: string): void {
  process.stderr.on('error', () => undefined);
  process.stderr.write(`${text}\n`);
}

/** Our own errors say all there is to say; a mistake in a program is found by where it happened. */
function reasonOf(error: unknown): string {
  const isMistake =
    !(error instanceof Error) || [TypeError, ReferenceError, RangeError].some((kind) => error instanceof kind);
  return isMistake ? detailOf(error) : error.message;
}

function detailOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
