import { readConfig, ConfigError } from '../config.ts';
import { openShared } from '../compose/shared.ts';
import { spaceOf } from '../compose/space.ts';
import { explainThread, type ExplainDeps } from '../app/explain.ts';
import { runsHere } from '../app/runs-here.ts';
import { systemClock } from '../domain/clock.ts';
import type { Explanation } from '../domain/explain.ts';
import { fullName, type Repository } from '../domain/repository.ts';
import { isFinal, type Run } from '../domain/run.ts';
import { readEnvFile } from '../env-file.ts';
import type { Survey } from '../forge/forge.ts';
import { DirectoryInUseError } from '../store/directory-lock.ts';
import { createLog } from '../telemetry/log.ts';

export interface ExplainCommandDeps extends ExplainDeps {
  /** `owner/repo#123`. */
  readonly thread: string;
  /** Print one JSON document instead of text. */
  readonly json: boolean;
  readonly survey: Pick<Survey, 'installedRepositories'>;
  readonly write: { readonly out: (text: string) => void; readonly error: (text: string) => void };
}

/**
 * `maestro explain owner/repo#123`: says why the run of an issue or pull request is, or is not, being worked on, as text or as one JSON
 * document `{ run, verdict, gates }`. Answers the exit code: 0, 1 when the thread can't be looked at, 2 when what was given is none.
 */
export async function explainCommand(deps: ExplainCommandDeps): Promise<number> {
  const { store, forge, survey, write } = deps;
  const [, owner = '', name = '', number = ''] = /^([\w.-]+)\/([\w.-]+)#(\d{1,9})$/.exec(deps.thread) ?? [];
  if (number === '') {
    write.error('Name an issue or pull request as owner/repo#123.\n');
    return 2;
  }
  const wanted = `${owner}/${name}`.toLowerCase();
  const isIt = (repository: Repository): boolean => fullName(repository).toLowerCase() === wanted;
  const repository = (await survey.installedRepositories()).map((one) => one.repository).find(isIt);
  if (repository === undefined) {
    write.error(`The App is not installed on ${owner}/${name}, or its installation is suspended.\n`);
    return 1;
  }
  const issue = await forge.issue(repository, Number(number));
  if (issue === undefined) {
    write.error(`There is no ${deps.thread}.\n`);
    return 1;
  }
  const runs = await runsHere(store, repository.id, issue);
  const run = runs.find(({ state }) => !isFinal(state)) ?? runs[0];
  const explained = await explainThread(deps, repository, issue.number, run);
  write.out(deps.json ? asJson(explained, run) : asText(explained));
  return 0;
}

function asJson({ verdict, gates }: Explanation, run: Run | undefined): string {
  return `${JSON.stringify({ run: run?.id ?? null, verdict, gates }, undefined, 2)}\n`;
}

function asText({ verdict, gates }: Explanation): string {
  const width = Math.max(...gates.map(({ name }) => name.length));
  const lines = gates.map(
    ({ name, passed, says }) => `  ${passed ? 'ok' : 'NO'}  ${name.padEnd(width)}  ${printable(says)}`,
  );
  return `${[printable(verdict), '', ...lines].join('\n')}\n`;
}

/** Without the control and formatting characters a terminal would obey. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD');
}

/** Runs {@link explainCommand} on the installation the environment configures. Exit code 78 for a bad configuration. */
export async function explainHere(thread: string, json: boolean): Promise<number> {
  const write = {
    out: (text: string) => void process.stdout.write(text),
    error: (text: string) => void process.stderr.write(text),
  };
  try {
    readEnvFile();
    const config = readConfig(process.env);
    await using shared = await openShared(config, createLog({ level: 'silent' }));
    const { store, forge } = shared;
    const deps = { store, forge, survey: forge, clock: systemClock, space: spaceOf(config) };
    return await explainCommand({ ...deps, thread, json, write });
  } catch (error) {
    if (error instanceof DirectoryInUseError) {
      write.error(
        'Maestro runs here on its embedded database, which one process has at a time: comment `/maestro explain` in the thread instead, or give both a Postgres with DATABASE_URL.\n',
      );
      return 1;
    }
    write.error(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof ConfigError ? 78 : 1;
  }
}
