import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { SETTINGS_FILE } from '../domain/defaults.ts';
import { unknownProvider } from '../domain/label.ts';
import type { PlaybookSettings, Problem } from '../domain/playbook.ts';
import { decodeText } from '../playbook/decode.ts';
import { parsePlaybook } from '../playbook/parse.ts';
import { parseSettingsFile } from '../playbook/settings-file.ts';
import { printable, reasonOf } from './terminal.ts';

export interface LintDeps {
  /** What to look at; what Maestro reads of a repository when empty. */
  readonly files: readonly string[];
  /** Print one JSON document instead of lines. */
  readonly json: boolean;
  /** Ids of the providers there are. */
  readonly providers: readonly string[];
  /** Bytes of a file; rejects for what cannot be read. */
  readonly read: (path: string) => Promise<Uint8Array>;
  /** Paths of the files below a directory, itself included; none when it is not there. */
  readonly list: (directory: string) => Promise<readonly string[]>;
  readonly write: { readonly out: (text: string) => void; readonly error: (text: string) => void };
}

/** Where playbooks are. */
const PLAYBOOKS = '.maestro/playbooks';

interface Linted {
  readonly file: string;
  readonly problems: readonly Problem[];
}

/**
 * `maestro lint [FILES]`: says what is wrong with playbooks and with `.github/maestro.yml`, one line for each problem in the form
 * `file:line:column: message`, or as one JSON document `{ files: [{ file, problems }] }`. Asks nobody and runs nothing. Answers the exit
 * code: 0, 2 when there are problems, 1 when a file cannot be read or is neither of these.
 */
export async function lintCommand(deps: LintDeps): Promise<number> {
  const files = deps.files.length > 0 ? deps.files : await standardFiles(deps);
  const linted: Linted[] = [];
  let unread = 0;
  for (const file of files) {
    const found = await lint(deps, file);
    if (typeof found === 'string') {
      deps.write.error(`Cannot check ${printable(file)}: ${found}.\n`);
      unread += 1;
    } else linted.push({ file, problems: found });
  }
  deps.write.out(deps.json ? `${JSON.stringify({ files: linted }, undefined, 2)}\n` : asLines(linted));
  if (unread > 0) return 1;
  return linted.some(({ problems }) => problems.length > 0) ? 2 : 0;
}

/** Paths of all files below a directory, with it in front; none when it is not there. */
export async function filesBelow(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries.flatMap((entry) => (entry.isFile() ? [path.posix.join(entry.parentPath, entry.name)] : []));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

async function standardFiles({ list }: LintDeps): Promise<readonly string[]> {
  // The second is what people write by mistake, and nobody reads.
  const settings = [SETTINGS_FILE, SETTINGS_FILE.replace(/yml$/, 'yaml')];
  const there = await list(path.dirname(SETTINGS_FILE));
  const playbooks = (await list(PLAYBOOKS)).filter((file) => file.endsWith('.md'));
  return [...settings.filter((file) => there.includes(file)), ...playbooks.toSorted()];
}

/** The problems of a file, or why it can't be looked at. */
async function lint(deps: LintDeps, file: string): Promise<readonly Problem[] | string> {
  const name = path.basename(file);
  const kind = /^maestro\.ya?ml$/.test(name) ? 'settings' : name.endsWith('.md') ? 'playbook' : undefined;
  if (kind === undefined) return `it is neither a playbook (\`.md\`) nor ${SETTINGS_FILE}`;
  let bytes: Uint8Array;
  try {
    bytes = await deps.read(file);
  } catch (error) {
    return reasonOf(error);
  }
  const decoded = decodeText(bytes);
  if (decoded.kind === 'binary') return 'it is a binary file, not a text';
  if (decoded.kind === 'problem') return [decoded.problem];
  const { settings, problems } = kind === 'settings' ? parseSettingsFile(decoded.text) : parsePlaybook(decoded.text);
  const misnamed = name === 'maestro.yaml' ? [MISNAMED] : [];
  return [...misnamed, ...problems, ...providerProblems(settings, decoded.text, deps.providers)];
}

const MISNAMED: Problem = {
  line: 1,
  column: 1,
  message: 'A file of this name is not read.',
  fix: `Call it ${SETTINGS_FILE}.`,
};

/** A provider nobody has heard of is known only where the product runs: here against all that come with it. */
function providerProblems(settings: PlaybookSettings, text: string, providers: readonly string[]): readonly Problem[] {
  const named = [settings.provider, ...(settings.fallbacks ?? [])];
  const [refusal] = named.flatMap((name) => unknownProvider(name, providers) ?? []);
  if (refusal === undefined) return [];
  const line = text.split(/\r\n|\r|\n/).findIndex((one) => /^\uFEFF?provider\s*:/.test(one)) + 1;
  return [{ line: Math.max(1, line), column: 1, message: refusal.message, fix: 'Name one of these.' }];
}

function asLines(linted: readonly Linted[]): string {
  if (linted.length === 0) return `There is no ${SETTINGS_FILE} and no playbook in ${PLAYBOOKS} here.\n`;
  const lines = linted.flatMap(({ file, problems }) =>
    problems.map(
      ({ line, column, message, fix }) =>
        `${printable(file)}:${line}:${column}: ${printable(message)}\n    ${printable(fix)}`,
    ),
  );
  const count = lines.length;
  const summary = `${linted.length} file${linted.length === 1 ? '' : 's'}, ${count} problem${count === 1 ? '' : 's'}`;
  return `${[...lines, summary].join('\n')}\n`;
}
