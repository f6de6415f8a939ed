import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

interface NamedTest {
  readonly file: string;
  /** How the test's title begins, as it stands in the source. */
  readonly name: string;
}

interface Promised {
  readonly id: string;
  readonly text: string;
  readonly figure?: string;
  readonly tests: readonly NamedTest[];
}

const { promises } = JSON.parse(read('docs/promises.json')) as { readonly promises: readonly Promised[] };

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** What is wrong with a test a promise names; undefined when a source has it and runs it. */
function faultOf(source: string, name: string): string | undefined {
  const quoted = ["'", '"', '`'].map((quote) =>
    source.indexOf(`${quote}${name.replaceAll("'", quote === "'" ? String.raw`\'` : "'")}`),
  );
  // A title may be made of a template whose beginning depends on a case.
  const at = quoted.find((found) => found >= 0) ?? -1;
  if (at < 0) return 'is not there';
  const calls = [...source.slice(0, at).matchAll(/\b(?:it|test)((?:\.\w+)*)\s*(?:<[^(]*>)?\(/g)];
  if (calls.length === 0) return 'is no test';
  if (/\.(?:skip|todo|fails)\b/.test(calls.at(-1)?.[1] ?? '')) return 'is skipped';
  return /^\s*describe\.(?:skip|todo)\b/m.test(source) ? 'may be in a suite that is skipped' : undefined;
}

/** The table of the README, made from the list. */
function rowOf({ id, text, figure, tests }: Promised): string {
  const files = [...new Set(tests.map(({ file }) => file))].map((file) => `[${file.slice('test/'.length)}](${file})`);
  return `| ${id} | ${text} | ${figure ?? ''} | ${files.join(', ')} |`;
}

it('are fifteen, each once', () => {
  expect(promises.map(({ id }) => id)).toEqual(Array.from({ length: 15 }, (_, at) => `P${at + 1}`));
});

describe.each(promises)('promise $id', ({ tests }) => {
  it('has tests, and each is there and runs', () => {
    const faults = tests.flatMap(({ file, name }) => {
      const fault = faultOf(read(file), name);
      return fault === undefined ? [] : [`${file}: "${name}" ${fault}`];
    });

    expect(tests.length).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  });
});

it.each(['P1', 'P2', 'P3', 'P4', 'P5', 'P14'])('promise %s, on not losing and not doing twice, has a figure', (id) => {
  expect(promises.find((promised) => promised.id === id)?.figure).toMatch(/\d/);
});

it('stand in the README as they stand in the list', () => {
  const readme = read('README.md');

  expect(promises.map(rowOf).filter((row) => !readme.includes(row))).toEqual([]);
});

it.each([
  ["it('another title', async () => {", 'is not there'],
  ["it.skip('the title', () => {", 'is skipped'],
  ["it.todo('the title')", 'is skipped'],
  ["describe.skip('all', () => { it('the title', () => {", 'may be in a suite that is skipped'],
  ["const text = 'the title';", 'is no test'],
])('a test that is written %j is found wanting', (source, fault) => {
  expect(faultOf(source, 'the title')).toBe(fault);
});

it.each(["it('the title goes on', () => {", "it.each([\n  ['a'],\n])('the title', () => {"])(
  'a test that is written %j is found',
  (source) => {
    expect(faultOf(source, 'the title')).toBeUndefined();
  },
);

it('calls nothing of GitHub that approves or merges', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const calls =
    /pulls\/\{pull_number\}\/(?:merge|reviews)|pulls\.(?:merge|createReview|submitReview)|mergePullRequest|addPullRequestReview|enablePullRequestAutoMerge|['"`]APPROVE['"`]|\/merges\b/;

  expect(sources.length).toBeGreaterThan(100);
  expect(sources.filter((name) => calls.test(read(join('src', name))))).toEqual([]);
  expect(calls.test("octokit.request('PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge')")).toBe(true);
});
