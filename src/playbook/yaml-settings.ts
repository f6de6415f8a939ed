import { isAlias, isMap, isNode, isScalar, parseDocument, visit } from 'yaml';
import type { Document, Node } from 'yaml';
import type { PlaybookSettings } from '../domain/playbook.ts';
import { nearest } from './nearest.ts';
import { EXPECTED, toSettings } from './settings-schema.ts';
import type { SettingsKey, SettingsSchema } from './settings-schema.ts';

export type Complain = (offset: number, message: string, fix: string) => void;

/** Which settings may be written in a place, and how its problems call it. */
export interface Vocabulary {
  /** At the beginning of a sentence: `The front matter`. */
  readonly place: string;
  /** Whose settings they are: `a playbook`. */
  readonly of: string;
  readonly keys: readonly SettingsKey[];
  readonly schema: Pick<typeof SettingsSchema, 'safeParse'>;
  /** What to do about a key that exists and does not belong here; undefined for other keys. */
  readonly misplaced: (key: string) => string | undefined;
}

/**
 * Settings in a text of plain YAML 1.2: aliases, anchors, tags and merge keys are problems, since they make a small text large or
 * mean something other than it says. Complains about what is wrong; what is given back then is not to be used.
 */
export function readYamlSettings(yaml: string, vocabulary: Vocabulary, complain: Complain): PlaybookSettings {
  const { place } = vocabulary;
  const tooNested = (): void => complain(0, `${place} is nested too deeply.`, 'Write one `key: value` per line.');
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
    tooNested();
    return {};
  }
  if (document.errors.some((error) => error.code === 'RESOURCE_EXHAUSTION')) {
    tooNested();
    return {};
  }
  for (const error of document.errors) {
    complain(error.pos[0], `${place} is not valid YAML: ${sentence(error.message)}`, fixFor(error.code));
  }
  if (document.errors.length > 0 || refuseIndirections(document, vocabulary, complain)) return {};
  const contents: unknown = document.contents;
  if (contents === null || (isScalar(contents) && contents.value === null)) return {};
  if (!isMap(contents)) {
    complain(0, `${place} is not a list of settings.`, 'Write one `key: value` per line.');
    return {};
  }
  return readMap(document, vocabulary, complain);
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
function refuseIndirections(document: Document.Parsed, { place }: Vocabulary, complain: Complain): boolean {
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
      complain(node.range?.[0] ?? 0, `${place} uses a YAML ${kind}.`, 'Write the value itself.');
    },
  });
  return found;
}

function readMap(document: Document.Parsed, vocabulary: Vocabulary, complain: Complain): PlaybookSettings {
  const contents: unknown = document.contents;
  if (!isMap(contents)) return {};
  const known: Partial<Record<SettingsKey, unknown>> = {};
  let isSound = true;
  for (const { key, value } of contents.items) {
    const written = isScalar(key) ? String(key.value) : undefined;
    const setting = vocabulary.keys.find((candidate) => candidate === written);
    if (setting !== undefined) {
      known[setting] = isNode(value) ? value.toJS(document) : value;
      continue;
    }
    isSound = false;
    complain(
      startOf(key),
      `\`${written ?? '?'}\` is not a setting of ${vocabulary.of}.`,
      suggestion(written ?? '', vocabulary),
    );
  }
  const result = vocabulary.schema.safeParse(known);
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

function suggestion(written: string, { keys, misplaced }: Vocabulary): string {
  const elsewhere = misplaced(written);
  if (elsewhere !== undefined) return elsewhere;
  const close = nearest(written, keys);
  return close === undefined
    ? `Remove it; the settings are ${keys.map((key) => `\`${key}\``).join(', ')}.`
    : `Did you mean \`${close}\`?`;
}
