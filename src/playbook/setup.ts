import { parse } from 'yaml';
import type { Setup, SetupStep } from '../domain/setup.ts';
import { isRecord, parseJsonWithComments } from './json-with-comments.ts';

/** Gives the text of a file of the default branch's commit; undefined when there is none. */
export type ReadFile = (path: string) => Promise<string | undefined>;

const COPILOT = ['.github/workflows/copilot-setup-steps.yml', '.github/workflows/copilot-setup-steps.yaml'] as const;
const OPENHANDS = '.openhands/setup.sh';
/** Where a repository's devcontainer may be, first found first. */
export const DEVCONTAINERS = ['.devcontainer/devcontainer.json', '.devcontainer.json'] as const;

/** The job of that workflow that GitHub's own agent runs. */
const COPILOT_JOB = 'copilot-setup-steps';

/** More steps than anybody writes. */
const MOST_STEPS = 100;

/**
 * What prepares a repository: the `setup` of the settings, which may be empty for nothing, or else the first of these that has
 * something to run: the job of `copilot-setup-steps.yml`, `.openhands/setup.sh`, the commands of a devcontainer. Undefined for nothing.
 */
export async function findSetup(
  written: { readonly commands: readonly string[]; readonly in: string } | undefined,
  read: ReadFile,
): Promise<Setup | undefined> {
  if (written !== undefined) {
    const steps = written.commands.map((command) => ({ name: command, script: command }));
    return steps.length === 0 ? undefined : { source: `setup of ${written.in}`, steps, skipped: [] };
  }
  for (const path of COPILOT) {
    const found = copilotSetup(path, await read(path));
    if (found !== undefined) return found;
  }
  const runs = await read(OPENHANDS);
  if (runs !== undefined) {
    const steps = [{ name: OPENHANDS, script: `exec bash ${OPENHANDS}` }];
    return { source: OPENHANDS, steps, skipped: [], runs };
  }
  for (const path of DEVCONTAINERS) {
    const found = devcontainerSetup(path, await read(path));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The `run` steps of the workflow's job. Its actions are GitHub's to run, and expressions GitHub's to know. */
function copilotSetup(source: string, text: string | undefined): Setup | undefined {
  const workflow = text === undefined ? undefined : yaml(text);
  const jobs = isRecord(workflow) ? workflow['jobs'] : undefined;
  const job = isRecord(jobs) ? jobs[COPILOT_JOB] : undefined;
  if (!isRecord(job) || !Array.isArray(job['steps'])) return undefined;
  const all: readonly unknown[] = job['steps'];
  const inherited = { ...variables(workflow), ...variables(job) };
  const steps: SetupStep[] = [];
  const skipped: string[] = [];
  for (const step of all.slice(0, MOST_STEPS)) {
    if (!isRecord(step)) continue;
    const { name, run, uses } = step;
    const called = [name, uses, run, 'a step'].find((one) => typeof one === 'string')?.split('\n', 1)[0];
    if (typeof run !== 'string') {
      skipped.push(`\`${called}\` is an action of GitHub's`);
    } else if (`${run}${JSON.stringify(step['env'] ?? '')}${JSON.stringify(step['if'] ?? '')}`.includes('${{')) {
      skipped.push(`\`${called}\` needs values only GitHub has`);
    } else {
      const directory = typeof step['working-directory'] === 'string' ? step['working-directory'] : '.';
      const env = { ...inherited, ...variables(step) };
      steps.push({ name: called ?? '', script: inBash(run, directory, env) });
    }
  }
  return steps.length === 0 ? undefined : { source, steps, skipped };
}

function yaml(text: string): unknown {
  try {
    return parse(text, { schema: 'core', logLevel: 'silent', maxAliasCount: 20 });
  } catch {
    return undefined;
  }
}

function variables(of: unknown): Readonly<Record<string, string>> {
  const env = isRecord(of) && isRecord(of['env']) ? of['env'] : {};
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      /^[A-Za-z_]\w*$/.test(name) && ['string', 'number', 'boolean'].includes(typeof value)
        ? [[name, String(value)] as const]
        : [],
    ),
  );
}

/** As GitHub runs a step: `bash` that ends at the first command that fails. */
function inBash(run: string, directory: string, env: Readonly<Record<string, string>>): string {
  const settings = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`);
  return [`cd ${quoted(directory)} || exit 1`, ...settings, `exec bash -e -o pipefail -c ${quoted(run)}`].join('\n');
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The commands of a devcontainer that run once after it is made, in the order its makers run them in. */
function devcontainerSetup(source: string, text: string | undefined): Setup | undefined {
  const config = text === undefined ? undefined : parseJsonWithComments(text);
  if (!isRecord(config)) return undefined;
  const steps = ['onCreateCommand', 'updateContentCommand', 'postCreateCommand'].flatMap((key) =>
    commandsOf(config[key]).map((script) => ({ name: `${key}: ${script.split('\n', 1)[0] ?? ''}`, script })),
  );
  return steps.length === 0 ? undefined : { source, steps, skipped: [] };
}

/** A command of a devcontainer: a line for the shell, a list of words, or several of these by name. */
function commandsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.trim() === '' ? [] : [value];
  if (Array.isArray(value)) {
    const words: readonly unknown[] = value;
    return words.length === 0 ? [] : [words.map((word) => quoted(String(word))).join(' ')];
  }
  return isRecord(value) ? Object.values(value).flatMap(commandsOf) : [];
}
