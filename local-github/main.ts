import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EVERY_ROLE, readSeedDirectory } from './seed.ts';
import type { Seed } from './seed.ts';
import { startLocalGithub } from './server.ts';
import type { LocalGithub, LocalGithubOptions } from './server.ts';

const USAGE = `Usage: npm run local-github -- [--port N] [--data DIR] [--webhook URL] [--seed DIR]

  --port N       port on 127.0.0.1; a free one when omitted
  --data DIR     keep everything there across restarts; thrown away in the end when omitted
  --webhook URL  where the App takes webhooks
  --seed DIR     DIR/<owner>/<repository>/… become repositories with those files as their first commit

Prints one line of JSON with every setting the app needs.`;

/** Thrown for arguments that can't be meant. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

async function readOptions(): Promise<LocalGithubOptions | undefined> {
  const { values } = parse();
  if (values.help === true) return undefined;
  const port = Number(values.port ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`--port must be a number from 0 to 65535, not "${values.port}".`);
  }
  if (values.webhook !== undefined && !/^https?:$/.test(URL.parse(values.webhook)?.protocol ?? '')) {
    throw new UsageError(`--webhook must be an http(s) address, not "${values.webhook}".`);
  }
  return {
    port,
    ...(values.data === undefined ? {} : { dataDir: resolve(values.data) }),
    ...(values.webhook === undefined ? {} : { webhookUrl: values.webhook }),
    ...(values.seed === undefined ? {} : { seed: await readSeed(resolve(values.seed)) }),
  };
}

function parse() {
  try {
    return parseArgs({
      options: {
        port: { type: 'string' },
        data: { type: 'string' },
        webhook: { type: 'string' },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function readSeed(directory: string): Promise<Seed> {
  try {
    const repositories = await readSeedDirectory(directory);
    const owner = repositories[0]?.owner;
    return { repositories, users: EVERY_ROLE, ...(owner === undefined ? {} : { owner }) };
  } catch (error) {
    throw new UsageError(`--seed can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function settingsOf(github: LocalGithub): Readonly<Record<string, unknown>> {
  return {
    url: github.url,
    GHE_HOST: github.host,
    GHE_PROTOCOL: 'http',
    APP_ID: String(github.app.id),
    PRIVATE_KEY: github.app.privateKey,
    WEBHOOK_SECRET: github.app.webhookSecret,
    installationId: github.installationId,
    users: github.users.map(({ login, token }) => ({ login, token })),
    repositories: github.repositories.map(({ id, fullName, cloneUrl }) => ({
      full_name: fullName,
      clone_url: cloneUrl,
      id,
    })),
  };
}

async function main(): Promise<void> {
  const options = await readOptions();
  if (options === undefined) {
    console.log(USAGE);
    return;
  }
  const github = await startLocalGithub(options);
  const stop = (): void => void github.close();
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  console.log(JSON.stringify(settingsOf(github)));
}

try {
  await main();
} catch (error) {
  console.error(
    error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error instanceof Error ? error.message : error,
  );
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
