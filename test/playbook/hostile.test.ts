import { array, assert, constantFrom, nat, oneof, property, string, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePlaybook } from '../../src/playbook/parse.ts';
import { visibleText } from '../../src/playbook/visible.ts';
import { ODD_PLAYBOOKS } from '../fixtures/playbooks/odd.ts';

/** CPU milliseconds of a synchronous call: the machine may be busy with other tests. */
function cpu(work: () => unknown): number {
  const measured: number[] = [];
  // The least of three: on a machine that is shared, and in code not compiled yet, one measure says more of them than of the work.
  while (measured.length < 3 && Math.min(...measured) > ALLOWED) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    measured.push((user + system) / 1_000);
  }
  return Math.min(...measured);
}

const SIZE = 256 * 1024;

function fill(pattern: string, prefix = ''): string {
  return (prefix + pattern.repeat(Math.ceil(SIZE / pattern.length))).slice(0, SIZE);
}

function stairs(marker: string, step: string): string {
  let text = '';
  for (let level = 0; text.length < SIZE; level += 1) text += `${step.repeat(level)}${marker}a\n`;
  return text.slice(0, SIZE);
}

/** Each was, or is likely to be, slow or deep in some markdown parser. */
const PATTERNS = [
  '>',
  '> a\n',
  '[',
  '[a](',
  '![',
  '- ',
  '- a\n',
  '1)\n',
  '``a',
  '```\n',
  '<',
  '<a ',
  '<!--',
  '<!-- -->\n',
  '|',
  '|\n|-\n',
  'a\n=\n',
  '# \n',
  '\t',
  ' ',
  '\n',
  '\r\n',
  '*a_ ',
  '_',
  '\\',
  '&#',
  '[a]: b\n',
  '[^a]: b\n',
  '- [ ] x\n',
  '- [] x\n',
  '\0',
  '---\n',
  'www.',
  'a@',
  '\u00A0[',
  'a: b\n',
  '\uD800',
  '\u200B',
  '- [ ] a\n  - [ ] b\n',
] as const;

/** CPU milliseconds allowed: a second on an idle core, twice that because other tests share the core's caches and memory. */
const ALLOWED = 2_000;

describe('256 kB made to be slow', () => {
  it.each(PATTERNS)('%j is read or refused in bounded time', (pattern) => {
    for (const prefix of ['', '- [ ] a\n']) {
      expect(
        cpu(() => parsePlaybook(fill(pattern, prefix))),
        `after ${JSON.stringify(prefix)}`,
      ).toBeLessThan(ALLOWED);
    }
  });

  it.each([
    ['stairs of lists', stairs('- ', '  ')],
    ['stairs of tabs', stairs('-\t', '\t')],
    ['lazy lines', `- [ ] a\n${'a\n'.repeat(100_000)}`],
    ['lazy lines in quotes', `${'> '.repeat(15)}a\n${'a\n'.repeat(100_000)}`],
    ['a wide table', `${'|a'.repeat(40_000)}\n${'|-'.repeat(40_000)}\n`],
    ['nested YAML', `---\n${'['.repeat(15_000)}\n---\n- [ ] a`],
    ['nested YAML maps', `---\n${'{a: '.repeat(4_000)}\n---\n- [ ] a`],
    [
      'a YAML bomb',
      `---\na: &a [x,x]\n${Array.from({ length: 300 }, (_, index) => `b${index}: [*a,*a,*a]`).join('\n')}\n---\n- [ ] a`,
    ],
  ])('%s is refused in bounded time', (_name, text) => {
    let problems: unknown[] = [];

    expect(
      cpu(() => {
        problems = [...parsePlaybook(text).problems];
      }),
    ).toBeLessThan(ALLOWED);
    expect(problems).not.toEqual([]);
  });

  it('still takes the largest playbooks people write, in bounded time', () => {
    const text = Array.from(
      { length: 1_000 },
      (_, index) => `- [ ] Task ${index} with \`code\` and *words*\n  - [ ] step\n`,
    ).join('');

    expect(cpu(() => expect(parsePlaybook(text).problems).toEqual([]))).toBeLessThan(ALLOWED);
  });
});

describe('64 kB of hidden text made to be slow', () => {
  it.each(PATTERNS)('%j is cleaned in bounded time', (pattern) => {
    expect(cpu(() => visibleText(fill(pattern).slice(0, 65_536)))).toBeLessThan(ALLOWED);
  });
});

describe('mutated playbooks', () => {
  const piece = oneof(
    constantFrom(...PATTERNS),
    constantFrom(...ODD_PLAYBOOKS.map(({ text }) => text)),
    string({ unit: 'binary', maxLength: 5 }),
  );
  const mutated = tuple(
    constantFrom(...ODD_PLAYBOOKS),
    array(tuple(nat(), nat({ max: 8 }), piece), { maxLength: 6 }),
  ).map(([{ text }, changes]) =>
    changes.reduce((current, [at, length, insert]) => {
      const start = at % (current.length + 1);
      return current.slice(0, start) + insert + current.slice(start + length);
    }, text),
  );

  it('give boxes or positioned problems, quickly, whatever they are', () => {
    assert(
      property(mutated, (text) => {
        const started = performance.now();
        const playbook = parsePlaybook(text);

        expect(performance.now() - started).toBeLessThan(ALLOWED);
        expect(playbook.boxes.length + playbook.problems.length).toBeGreaterThan(0);
        const lines = text.split(/\r\n|\r|\n/);
        for (const problem of playbook.problems) {
          expect(problem.line).toBeLessThanOrEqual(lines.length);
          expect(problem.column).toBeLessThanOrEqual((lines[problem.line - 1]?.length ?? 0) + 1);
        }
        for (const box of playbook.boxes) expect(text.slice(box.offset - 1, box.offset + 2)).toMatch(/^\[[ \txX]\]$/);
        expect(new Set(playbook.boxes.map((box) => box.key)).size).toBe(playbook.boxes.length);
      }),
      { numRuns: 3_000 },
    );
  });
});
