import { isAlias, isMap, isNode, isScalar, parseDocument, visit } from 'yaml';
import type { Document, Node } from 'yaml';
import type { PlaybookSettings, Problem } from '../domain/playbook.ts';
import type { Limits } from './limits.ts';
import { nearest } from './nearest.ts';
import type { Position } from './position.ts';
import { EXPECTED, SETTINGS_KEYS, SettingsSchema, toSettings } from './settings-schema.ts';
import type { SettingsKey } from './settings-schema.ts';

interface Settings {
  readonly settings: PlaybookSettings;
  readonly problems: readonly Problem[];
}

type Complain = (offset: number, message: string, fix: string) => void;

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
  const settings = read(yaml, complain);
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

const TOO_NESTED = ['The front matter is nested too deeply.', 'Write one `key: value` per line.'] as const;

function read(yaml: string, complain: Complain): PlaybookSettings {
  let document: Document.Parsed;
  try {
    document = parseDocument(yaml, {
      schema: 'core',
      version: '1.2',
      merge: false,
      prettyErrors: false,
      logLevel: 'silent',
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    complain(0, ...TOO_NESTED);
    return {};
  }
  if (document.errors.some((error) => error.code === 'RESOURCE_EXHAUSTION')) {
    complain(0, ...TOO_NESTED);
    return {};
  }
  for (const error of document.errors)
    complain(error.pos[0], `The front matter is not valid YAML: ${sentence(error.message)}`, fixFor(error.code));
  if (document.errors.length > 0 || refuseIndirections(document, complain)) return {};
  const contents: unknown = document.contents;
  if (contents === null || (isScalar(contents) && contents.value === null)) return {};
  if (!isMap(contents)) {
    complain(0, 'The front matter is not a list of settings.', 'Write one `key: value` per line.');
    return {};
  }
  return readMap(document, complain);
}

/** The first line of a message, ended by a full stop. */
function sentence(message: string): string {
  const line = message.split('\n', 1)[0] ?? '';
  return `${line.slice(0, 200).replace(/[.:\s]+$/, '')}.`;
}

function fixFor(code: string): string {
  if (code === 'DUPLICATE_KEY') return 'Keep one of the two.';
  if (code === 'TAB_AS_INDENT') return 'Indent with spaces.';
  return 'Write one `key: value` per line, and put values with special characters in quotes.';
}

/** Complains about everything that is not written out where it stands; true when there was any. */
function refuseIndirections(document: Document.Parsed, complain: Complain): boolean {
  let found = false;
  visit(document, {
    Node(_key, node: Node) {
      const kind = isAlias(node)
        ? 'alias'
        : 'anchor' in node && node.anchor !== undefined
          ? 'anchor'
          : node.tag === undefined
            ? undefined
            : 'tag';
      if (kind === undefined) return;
      found = true;
      complain(node.range?.[0] ?? 0, `The front matter uses a YAML ${kind}.`, 'Write the value itself.');
    },
  });
  return found;
}

function readMap(document: Document.Parsed, complain: Complain): PlaybookSettings {
  const contents: unknown = document.contents;
  if (!isMap(contents)) return {};
  const known: Partial<Record<SettingsKey, unknown>> = {};
  let isSound = true;
  for (const { key, value } of contents.items) {
    const written = isScalar(key) ? String(key.value) : undefined;
    const setting = SETTINGS_KEYS.find((candidate) => candidate === written);
    if (setting !== undefined) {
      known[setting] = isNode(value) ? value.toJS(document) : value;
      continue;
    }
    isSound = false;
    complain(startOf(key), `\`${written ?? '?'}\` is not a setting of a playbook.`, suggestion(written ?? ''));
  }
  const result = SettingsSchema.safeParse(known);
  if (result.success) return isSound ? toSettings(result.data) : {};
  const keys = new Set(result.error.issues.map((issue) => issue.path[0] as SettingsKey));
  for (const key of keys) {
    const path = result.error.issues.find((issue) => issue.path[0] === key)?.path ?? [key];
    const node = document.getIn(path, true) ?? document.get(key, true) ?? undefined;
    const at = isNode(node)
      ? startOf(node)
      : startOf(contents.items.find((item) => isScalar(item.key) && item.key.value === key)?.key);
    complain(at, `The value of \`${key}\` is not one it can have.`, `Write ${EXPECTED[key]}.`);
  }
  return {};
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function suggestion(written: string): string {
  const close = nearest(written, SETTINGS_KEYS);
  return close === undefined
    ? `Remove it; the settings are ${SETTINGS_KEYS.map((key) => `\`${key}\``).join(', ')}.`
    : `Did you mean \`${close}\`?`;
}
