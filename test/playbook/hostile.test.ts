import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePlaybook } from '../../src/playbook/parse.ts';
import { visibleText } from '../../src/playbook/visible.ts';
import { ODD_PLAYBOOKS } from '../fixtures/playbooks/odd.ts';

/** CPU milliseconds of a synchronous call: the machine may be busy with other tests. */
function cpu(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
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

const PATTERNS = [
  '>',
  '> ',
  '>\n',
  '> a\n',
  '[',
  ']',
  '[]',
  '[a](',
  '![',
  '- ',
  '-\n',
  '- a\n',
  '* ',
  '1. ',
  '1)\n',
  '`',
  '``a',
  '```\n',
  '~~~\n',
  '<',
  '<a ',
  '<a\n',
  '<!--',
  '<!--\n',
  '<!-- -->',
  '</',
  '|',
  '|\n|-\n',
  '|-',
  '-',
  '=\n',
  'a\n=\n',
  'a\n-\n',
  '#',
  '# \n',
  '\t',
  ' ',
  ' \n',
  '\n',
  '\r',
  '\r\n',
  '(',
  '*',
  '**a',
  '*a_ ',
  '_',
  '~',
  '\\',
  '&',
  '&#',
  '&amp;',
  ':',
  '[a]: b\n',
  '[^a]: b\n',
  '[^a]',
  '[ ] x\n',
  '- [ ] x\n',
  '-[ ] x\n',
  '- [] x\n',
  '  - [ ] y\n',
  '\0',
  '\uFFFD',
  '"',
  '---\n',
  'www.',
  'http://',
  'a@',
  'a.',
  '\u00A0',
  '\u00A0[',
  'a: b\n',
  '\u{1F600}',
  '\uD800',
  '\u200B',
  '{',
  '- [ ] a\n  - [ ] b\n    - [ ] c\n',
] as const;
const PREFIXES = ['', '- [ ] ', '- [ ] a\n', '> ', '---\n', '- '];

describe('256 kB made to be slow', () => {
  it.each(PATTERNS)('%j is read or refused in under a second', (pattern) => {
    for (const prefix of PREFIXES) {
      expect(
        cpu(() => parsePlaybook(fill(pattern, prefix))),
        `after ${JSON.stringify(prefix)}`,
      ).toBeLessThan(1_000);
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
  ])('%s is refused in under a second', (_name, text) => {
    let problems: unknown[] = [];

    expect(
      cpu(() => {
        problems = [...parsePlaybook(text).problems];
      }),
    ).toBeLessThan(1_000);
    expect(problems).not.toEqual([]);
  });

  it('still takes the largest playbooks people write, in under a second', () => {
    const text = Array.from(
      { length: 1_000 },
      (_, index) => `- [ ] Task ${index} with \`code\` and *words*\n  - [ ] step\n`,
    ).join('');

    expect(cpu(() => expect(parsePlaybook(text).problems).toEqual([]))).toBeLessThan(1_000);
  });
});

describe('64 kB of hidden text made to be slow', () => {
  it.each(PATTERNS)('%j is cleaned in under a second and a half', (pattern) => {
    expect(cpu(() => visibleText(fill(pattern).slice(0, 65_536)))).toBeLessThan(1_500);
  });
});

describe('mutated playbooks', () => {
  const piece = fc.oneof(
    fc.constantFrom(...PATTERNS),
    fc.constantFrom(...ODD_PLAYBOOKS.map(({ text }) => text)),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );
  const mutated = fc
    .tuple(fc.constantFrom(...ODD_PLAYBOOKS), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 8 }), piece), { maxLength: 6 }))
    .map(([{ text }, changes]) =>
      changes.reduce((current, [at, length, insert]) => {
        const start = at % (current.length + 1);
        return current.slice(0, start) + insert + current.slice(start + length);
      }, text),
    );

  it('give boxes or positioned problems, quickly, whatever they are', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        const started = performance.now();
        const playbook = parsePlaybook(text);

        expect(performance.now() - started).toBeLessThan(1_000);
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
