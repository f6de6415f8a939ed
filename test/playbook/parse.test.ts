import { describe, expect, it } from 'vitest';
import { parsePlaybook } from '../../src/playbook/parse.ts';
import { ODD_PLAYBOOKS } from '../fixtures/playbooks/odd.ts';

describe('odd markdown', () => {
  it.each(ODD_PLAYBOOKS)('$name', ({ text, boxes, problems }) => {
    const playbook = parsePlaybook(text);

    expect(playbook.boxes.map((box) => (box.parent === undefined ? '' : '  ') + box.title)).toEqual(boxes);
    expect(playbook.problems.map((problem) => `${problem.line}:${problem.column}`)).toEqual(problems);
  });

  it.each(ODD_PLAYBOOKS)('$name: every box is where its offset, line and column say', ({ text }) => {
    const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);

    for (const box of parsePlaybook(text).boxes) {
      expect(text.slice(box.offset - 1, box.offset + 2)).toMatch(box.checked ? /^\[[xX]\]$/ : /^\[[ \t]\]$/);
      expect(lines[box.line - 1]?.[box.column - 1]).toBe('[');
    }
  });

  it.each(ODD_PLAYBOOKS)('$name: every problem says what to do', ({ text }) => {
    for (const problem of parsePlaybook(text).problems) {
      expect(problem.message).toMatch(/\.$/);
      expect(problem.fix).toMatch(/[.?]$/);
    }
  });
});

describe('title of the playbook', () => {
  it.each([
    ['# The **plan**\n\n- [ ] a', 'The plan'],
    ['The plan\n===\n\n- [ ] a', 'The plan'],
    ['## Second level ##\n- [ ] a', 'Second level'],
    ['- [ ] a\n\n# Later', 'Later'],
    ['```\n# no\n```\n# Yes\n- [ ] a', 'Yes'],
    ['- [ ] a', undefined],
  ])('of %j', (text, title) => {
    expect(parsePlaybook(text).title).toBe(title);
  });
});

describe('text of a task', () => {
  it('is the whole item without marker and indentation, with its sub-steps', () => {
    const text =
      '1. [ ] Do it\r\n   like this:\r\n\r\n   ```sh\r\n     npm test\r\n   ```\r\n   - [ ] first\r\n   - [x] second\r\n2. [ ] Next\r\n';

    const [task, first] = parsePlaybook(text).boxes;

    expect(task?.text).toBe('Do it\nlike this:\n\n```sh\n  npm test\n```\n- [ ] first\n- [x] second');
    expect(first?.text).toBe('first');
  });

  it('loses indentation by columns where tabs indent', () => {
    expect(parsePlaybook('- [ ] a\n\tb\n\n\t\tcode').boxes[0]?.text).toBe('a\n  b\n\n      code');
  });
});

describe('keys', () => {
  it('stay when boxes are ticked, lines end differently, and other tasks come and go', () => {
    const before = parsePlaybook('- [ ] a\n- [ ] b\n- [ ] c\n').boxes[1]?.key;

    const after = parsePlaybook('# New\r\n\r\n- [x] other\r\n* [x]  b\r\n').boxes[1]?.key;

    expect(before).toMatch(/^[a-z2-7]{12}-1$/);
    expect(after).toBe(before);
  });

  it('tell equal texts apart by occurrence, nested or not', () => {
    const keys = parsePlaybook('- [ ] a\n  - [ ] b\n- [ ] b').boxes.map((box) => box.key);

    expect(new Set(keys).size).toBe(3);
    expect(keys[1]?.replace(/1$/, '2')).toBe(keys[2]);
  });

  it('change with the text of the box itself, not with that of its sub-steps', () => {
    const [a] = parsePlaybook('- [ ] a\n  - [ ] b').boxes;
    const [same] = parsePlaybook('- [ ] a\n  - [ ] c').boxes;
    const [other] = parsePlaybook('- [ ] a!\n  - [ ] b').boxes;

    expect(same?.key).toBe(a?.key);
    expect(other?.key).not.toBe(a?.key);
  });
});

describe('limits', () => {
  it('refuses a text over 256 kB and takes one just below', () => {
    const filler = `${'words '.repeat(10)}\n`;
    const below = `- [ ] a\n\n${filler.repeat(4_200)}`;

    expect(parsePlaybook(below).problems).toEqual([]);
    expect(parsePlaybook(below + filler.repeat(200)).problems[0]?.message).toBe('This playbook is larger than 256 kB.');
  });

  it('counts bytes, not characters', () => {
    expect(parsePlaybook(`- [ ] a\n\n${'日本語 '.repeat(27_000)}`).problems[0]?.message).toMatch(/larger than 256 kB/);
  });

  it('takes 1,000 tasks and points at the one after', () => {
    expect(parsePlaybook('- [ ] a\n'.repeat(1_000)).problems).toEqual([]);
    expect(parsePlaybook('- [ ] a\n'.repeat(1_001)).problems).toMatchObject([{ line: 1_001, column: 3 }]);
  });

  it('refuses a task longer than 8 kB', () => {
    expect(parsePlaybook(`- [ ] a ${'b'.repeat(8_100)}`).problems).toEqual([]);
    expect(parsePlaybook(`- [ ] ok\n- [ ] a ${'b'.repeat(8_200)}`).problems).toMatchObject([{ line: 2, column: 3 }]);
  });

  it('refuses lists nested too deeply, wherever the nesting comes from', () => {
    const stairs = Array.from({ length: 30 }, (_, level) => `${'  '.repeat(level)}- [ ] a\n`).join('');

    expect(parsePlaybook(stairs).problems).toMatchObject([{ line: 21, message: expect.stringContaining('nested') }]);
    expect(parsePlaybook(`a\n${'>'.repeat(30)} - [ ] a`).problems).toMatchObject([{ line: 2 }]);
  });

  it('can be set', () => {
    expect(parsePlaybook('- [ ] a\n- [ ] b', { limits: { tasks: 1 } }).problems).toHaveLength(1);
  });

  it('bounds titles', () => {
    const title = parsePlaybook(`- [ ] ${'word '.repeat(200)}`).boxes[0]?.title ?? '';

    expect(title).toHaveLength(300);
    expect(title).toMatch(/…$/);
  });

  it('reports at most a hundred problems', () => {
    expect(parsePlaybook('-[ ] a\n'.repeat(500)).problems).toHaveLength(100);
  });
});
