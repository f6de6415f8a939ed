import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { GITHUB } from './settings/github.ts';
import { LIMITS } from './settings/limits.ts';
import { MODELS } from './settings/models.ts';
import { PACE } from './settings/pace.ts';
import { PLACES } from './settings/places.ts';
import { WORK } from './settings/work.ts';

/**
 * Everything an operator can set, from the environment. One schema; each key says what it is. Every key may also be given as
 * `<KEY>_FILE`, the path of a file that holds the value (for secrets mounted as files).
 */
const ConfigSchema = z.object({ ...GITHUB, ...PLACES, ...WORK, ...LIMITS, ...PACE, ...MODELS });

export type Config = z.infer<typeof ConfigSchema>;

/** The environment does not hold a usable configuration. The message lists every key that is wrong, and what it should be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads the configuration from an environment. Empty values count as absent. Throws `ConfigError`. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(withFiles(env)).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = ConfigSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => {
    const key = String(issue.path[0] ?? '');
    return given[key] === undefined ? `${key} is missing: ${about(key)}` : `${key} is not usable: ${issue.message}`;
  });
  throw new ConfigError(`Maestro can't start with this configuration.\n${wrong.map((line) => `  ${line}`).join('\n')}`);
}

/** Base URL of the REST API: GitHub's own, or `<protocol>://<host>/api/v3` on a GitHub Enterprise Server. */
export function apiBaseUrl(config: Pick<Config, 'GHE_HOST' | 'GHE_PROTOCOL'>): string {
  return config.GHE_HOST === undefined
    ? 'https://api.github.com'
    : `${config.GHE_PROTOCOL}://${config.GHE_HOST}/api/v3`;
}

/** The keys with their descriptions and defaults, for the documentation. */
export function configKeys(): readonly { readonly key: string; readonly about: string; readonly required: boolean }[] {
  return Object.entries(ConfigSchema.shape).map(([key, schema]) => ({
    key,
    about: schema.description ?? '',
    required: !schema.safeParse(undefined).success,
  }));
}

function about(key: string): string {
  return ConfigSchema.shape[key as keyof typeof ConfigSchema.shape]?.description ?? 'it is required';
}

function withFiles(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string | undefined>> {
  const read: Record<string, string | undefined> = { ...env };
  for (const key of Object.keys(ConfigSchema.shape)) {
    const file = env[`${key}_FILE`];
    if (file === undefined || file === '' || env[key]) continue;
    if (!existsSync(file)) throw new ConfigError(`${key}_FILE names ${file}, which does not exist.`);
    read[key] = readFileSync(file, 'utf8').trim();
  }
  return read;
}
