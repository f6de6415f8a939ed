import { text } from 'node:stream/consumers';
import { openShared } from '../../compose/shared.ts';
import { ConfigError, readConfig } from '../../config.ts';
import { readEnvFile } from '../../env-file.ts';
import { SealError } from '../../store/store.ts';
import { createLog } from '../../telemetry/log.ts';
import type { KeysDeps } from './keys.ts';

/** Does something with the keys of installations, and says what went wrong in plain words: exit code 78 for the configuration, else 1. */
export async function withKeys(work: (deps: KeysDeps) => Promise<void>): Promise<void> {
  try {
    readEnvFile();
    const config = readConfig(process.env);
    await using shared = await openShared(config, createLog({ level: 'silent' }));
    await work({
      config,
      store: shared.store,
      forge: shared.forge,
      readKey: async () => await text(process.stdin),
      write: (line) => void process.stdout.write(line),
      now: () => Date.now(),
    });
  } catch (error) {
    process.exitCode = error instanceof ConfigError ? 78 : 1;
    const isOurs = error instanceof ConfigError || error instanceof SealError;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${isOurs ? message : `It could not be done: ${message}`}\n`);
  }
}
