import { z } from 'zod';
import { SETTINGS_FILE } from '../domain/defaults.ts';
import type { PlaybookSettings, Problem } from '../domain/playbook.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { positionsOf } from './position.ts';
import { EXPECTED, SETTINGS_KEYS, SettingsSchema, type SettingsKey } from './settings-schema.ts';
import { readYamlSettings, type Vocabulary } from './yaml-settings.ts';

/** Settings that mean something for one playbook only, so that a repository has no default for them. */
const OF_ONE_PLAYBOOK = {
  parallel: true,
  after: true,
  loop: true,
  'max-loops': true,
  reset: true,
  schedule: true,
} as const satisfies Partial<Record<SettingsKey, true>>;

/** What may stand in `.github/maestro.yml`. */
const SettingsFileSchema = z.strictObject(SettingsSchema.omit(OF_ONE_PLAYBOOK).shape);

const FILE_KEYS = SETTINGS_KEYS.filter((key) => !(key in OF_ONE_PLAYBOOK));

const FILE: Vocabulary = {
  place: 'The file',
  of: `\`${SETTINGS_FILE}\``,
  keys: FILE_KEYS,
  schema: SettingsFileSchema,
  misplaced: (key) =>
    key in OF_ONE_PLAYBOOK
      ? 'Write it in the front matter of the playbook it is meant for, and remove it here.'
      : undefined,
};

/** A repository's or organisation's defaults, or what has to be mended first: settings are empty while there are problems. */
export interface SettingsFile {
  readonly settings: PlaybookSettings;
  readonly problems: readonly Problem[];
}

/** The settings a text of `.github/maestro.yml` gives. Never throws, whatever the text. */
export function parseSettingsFile(text: string): SettingsFile {
  const positionAt = positionsOf(text);
  const problems: Problem[] = [];
  const shift = text.startsWith('\uFEFF') ? 1 : 0;
  function complain(offset: number, message: string, fix: string): void {
    problems.push({ ...positionAt(Math.min(shift + offset, text.length)), message, fix });
  }
  const most = DEFAULT_LIMITS.settingsBytes;
  if (text.length > most || Buffer.byteLength(text) > most) {
    complain(0, `The file is larger than ${most / 1024} kB.`, 'Keep only settings here; put scripts in files.');
    return { settings: {}, problems };
  }
  const second = secondDocument(text.slice(shift));
  if (second !== undefined) {
    complain(second, 'The file holds more than one YAML document.', 'Remove this line, and keep the settings of one.');
    return { settings: {}, problems };
  }
  const bad = /[\0\uFFFD]/.exec(text)?.index;
  if (bad !== undefined) {
    complain(bad - shift, 'There is a character here that is not valid text.', 'Save the file in the encoding UTF-8.');
    return { settings: {}, problems };
  }
  // A lone carriage return is no line end for YAML: as a line feed it is, at the same offsets.
  const settings = readYamlSettings(text.slice(shift).replaceAll(/\r(?!\n)/g, '\n'), FILE, complain);
  return { settings: problems.length === 0 ? settings : {}, problems };
}

/** Where a second document begins: the parser passes over it without a word. */
function secondDocument(text: string): number | undefined {
  for (const { index } of text.matchAll(/^(?:---|\.\.\.)(?=\s|$)/gm)) {
    if (/^[ \t]*[^\s#%]/m.test(text.slice(0, index))) return index;
  }
  return undefined;
}

/** JSON Schema of the file for editors, with what each setting may be. */
export function settingsFileSchema(): Readonly<Record<string, unknown>> {
  const {
    $schema,
    properties: all,
    ...rest
  } = z.toJSONSchema(SettingsFileSchema, { io: 'input', target: 'draft-2020-12' });
  const properties = Object.entries(all ?? {}).map(([key, value]) => {
    const description = `Write ${EXPECTED[key as SettingsKey]}.`;
    return [key, typeof value === 'object' ? { description, ...value } : value] as const;
  });
  return {
    $schema,
    title: 'Defaults of a repository for Maestro',
    description: `${SETTINGS_FILE} on the default branch, or in the repository .github of an organisation.`,
    ...rest,
    properties: Object.fromEntries(properties),
  };
}
