import { ConfigError, readConfig, type Config } from './config.ts';

/**
 * Runs a long-lived program: reads the configuration, starts it, and stops it on SIGTERM or SIGINT. A configuration that can't be
 * used is said in plain words with exit code 78 (EX_CONFIG, sysexits.h); a second signal ends the process at once.
 */
export async function runProcess(start: (config: Config) => Promise<AsyncDisposable>): Promise<void> {
  try {
    await using running = await start(readConfig(process.env));
    await untilSignal();
    void running;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 78;
  }
  // Libraries may keep timers for connections that broke; what is ours has been disposed of.
  process.exit();
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
