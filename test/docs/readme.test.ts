import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SETTINGS_KEYS } from '../../src/playbook/settings-schema.ts';
import { providerIds } from '../../src/providers/ids.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

const readme = read('README.md');

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** Text outside code blocks, where a link is one. */
function prose(markdown: string): string {
  return markdown.replaceAll(/^([ \t]*)```[\s\S]*?^\1```/gm, '');
}

/** The part of a page below a heading, up to the next one of any level. */
function section(markdown: string, heading: string): string {
  const [, below = ''] = markdown.split(new RegExp(`^#+ ${heading}$`, 'm'));
  return below.split(/^#+ /m)[0] ?? '';
}

function firstColumn(table: string): readonly string[] {
  return [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) => codes(cell));
}

function codes(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** A heading's anchor, as GitHub makes it. */
function anchorsOf(markdown: string): readonly string[] {
  return [...prose(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Links of a page that lead nowhere, of those that lead to a file of this repository. */
function brokenLinks(page: string, markdown: string): readonly string[] {
  const links = [...prose(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return links
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
      if (relative(ROOT, file).startsWith('..') || !existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
    });
}

describe.each(PAGES)('%s', (page) => {
  it('links to files and headings that are there', () => {
    expect(brokenLinks(page, read(page))).toEqual([]);
  });

  it('names npm scripts that are there', () => {
    const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
    const named = [...read(page).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)].map(([, script = '']) => script);

    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
  });
});

it('notices a link to a missing file, to a missing heading and out of the repository', () => {
  const page = '[a](missing.md) [b](README.md#nowhere) [c](../x.md) [d](README.md#providers) [e](https://example.com)';

  expect(brokenLinks('README.md', page)).toEqual(['missing.md', 'README.md#nowhere', '../x.md']);
});

it('names paths in its layout that are there', () => {
  const named = firstColumn(section(readme, 'Where things are'));

  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

it('names every folder of src in its layout', () => {
  const named = firstColumn(section(readme, 'Where things are'));
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'telemetry')
    .map((entry) => `src/${entry.name}/`);

  expect(folders.filter((folder) => !named.includes(folder))).toEqual([]);
});

it('lists every key of front matter, and none that does not exist', () => {
  expect([...firstColumn(section(readme, 'Front matter'))].toSorted()).toEqual([...SETTINGS_KEYS].toSorted());
});

it('lists every provider, and none that does not exist', () => {
  expect([...firstColumn(section(readme, 'Providers'))].toSorted()).toEqual([...providerIds].toSorted());
});

it('has a link that registers the App with what the manifest asks for', () => {
  const manifest = parse(read('app.yml')) as {
    readonly public: boolean;
    readonly default_permissions: Readonly<Record<string, string>>;
    readonly default_events: readonly string[];
  };
  const [link = ''] = /https:\/\/github\.com\/settings\/apps\/new\?[^)\s]+/.exec(readme) ?? [];
  const { searchParams } = new URL(link);
  const told = new Set(['name', 'description', 'url', 'public', 'webhook_active', 'webhook_url', 'events[]']);
  const permissions = Object.fromEntries([...searchParams].filter(([name]) => !told.has(name)));

  expect(permissions).toEqual(manifest.default_permissions);
  expect(searchParams.getAll('events[]').toSorted()).toEqual(manifest.default_events.toSorted());
  expect(searchParams.get('public')).toBe(String(manifest.public));
});
