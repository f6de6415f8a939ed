import type { PlaybookSettings, Problem } from '../domain/playbook.ts';
import type { Limits } from './limits.ts';
import type { Position } from './position.ts';
import { SETTINGS_KEYS, SettingsSchema } from './settings-schema.ts';
import { readYamlSettings, type Vocabulary } from './yaml-settings.ts';

const FRONT_MATTER: Vocabulary = {
  place: 'The front matter',
  of: 'a playbook',
  keys: SETTINGS_KEYS,
  schema: SettingsSchema,
  misplaced: () => undefined,
};

interface Settings {
  readonly settings: PlaybookSettings;
  readonly problems: readonly Problem[];
}

/**
 * Front matter between its `---` lines at `[start, end)` of `text`. Plain YAML 1.2 only: aliases, anchors, tags and merge keys are
 * problems, since they make a small text large or mean something other than it says. Settings are empty while there are problems.
 */
export function parseSettings(given: {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly positionAt: (offset: number) => Position;
  readonly limits: Limits;
}): Settings {
  const { text, start, end, positionAt, limits } = given;
  const block = text.slice(start, end);
  const opening = /^[^\r\n]*(?:\r\n|\r|\n)/.exec(block)?.[0].length ?? block.length;
  // A lone carriage return is no line end for YAML: as a line feed it is, at the same offsets.
  const yaml = block
    .slice(opening)
    .replace(/-{3}[ \t]*$/, '')
    .replaceAll(/\r(?!\n)/g, '\n');
  const problems: Problem[] = [];
  function complain(offset: number, message: string, fix: string): void {
    problems.push({ ...positionAt(start + opening + Math.min(offset, yaml.length)), message, fix });
  }
  if (Buffer.byteLength(yaml) > limits.settingsBytes) {
    complain(
      0,
      `The front matter is larger than ${limits.settingsBytes / 1024} kB.`,
      'Keep only settings here; put scripts in files.',
    );
    return { settings: {}, problems };
  }
  const settings = readYamlSettings(yaml, FRONT_MATTER, complain);
  return { settings: problems.length === 0 ? settings : {}, problems };
}

/** A problem when a text begins like front matter whose end is missing. */
export function unclosedSettings(source: string): readonly Problem[] {
  const second = /^---[ \t]*(?:\r\n|\r|\n)([A-Za-z-]+):(?:\s|$)/.exec(source)?.[1];
  if (second === undefined || !SETTINGS_KEYS.some((key) => key === second)) return [];
  return [
    {
      line: 1,
      column: 1,
      message: 'The front matter that begins here has no end.',
      fix: 'Write a line `---` after the last setting, without spaces before it.',
    },
  ];
}
