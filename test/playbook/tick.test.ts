import { array, assert, constantFrom, nat, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskKey } from '../../src/domain/ids.ts';
import { parsePlaybook } from '../../src/playbook/parse.ts';
import { tick, tickTask, untick, untickTask } from '../../src/playbook/tick.ts';
import { ODD_PLAYBOOKS } from '../fixtures/playbooks/odd.ts';

/** Offsets at which two texts of the same length differ. */
function changes(before: string, after: string): number[] {
  expect(after).toHaveLength(before.length);
  return Array.from({ length: before.length }, (_, index) => index).filter((index) => before[index] !== after[index]);
}

describe('taking a tick back', () => {
  const before = '- [ ] One\n  - [x] by its author\n  - [ ] ours\n- [ ] Two\n';
  const [one, , , two] = parsePlaybook(before).boxes;

  it('opens the task and what was open in it, and leaves what its author ticked', () => {
    const done = tickTask(tickTask(before, one?.key as TaskKey) ?? '', two?.key as TaskKey) ?? '';
    expect(done).toBe(before.replaceAll('[ ]', '[x]'));
    expect(untickTask(done, one?.key as TaskKey, before)).toBe(before.replace('[ ] Two', '[x] Two'));
    expect(untickTask(`New words.\n\n${done}`, two?.key as TaskKey, before)).toContain('- [x] One');
  });

  it('has nothing to open where the task is gone, or open', () => {
    expect(untickTask('- [x] Other\n', one?.key as TaskKey, before)).toBeUndefined();
    expect(untickTask(before, one?.key as TaskKey, before)).toBe(before);
  });
});

describe('ticking', () => {
  it.each(ODD_PLAYBOOKS)('$name: changes one character and flips that box only', ({ text }) => {
    const { boxes } = parsePlaybook(text);

    for (const box of boxes) {
      const after = box.checked ? untick(text, box) : tick(text, box);

      expect(changes(text, after)).toEqual([box.offset]);
      const flipped = boxes.map((each) => ({ key: each.key, checked: each.checked !== (each === box) }));
      expect(parsePlaybook(after).boxes.map(({ key, checked }) => ({ key, checked }))).toEqual(flipped);
    }
  });

  it('flips only what it should in documents put together at random', () => {
    const document = array(
      tuple(constantFrom(...ODD_PLAYBOOKS.map(({ text }) => text)), constantFrom('\n', '\n\n', '\r\n\r\n')),
      {
        minLength: 1,
        maxLength: 5,
      },
    ).map((parts) => parts.flat().join(''));

    assert(
      property(document, nat(), (text, pick) => {
        const { boxes } = parsePlaybook(text);
        const box = boxes[pick % Math.max(1, boxes.length)];
        if (box === undefined) return;

        const after = box.checked ? untick(text, box) : tick(text, box);

        expect(changes(text, after)).toEqual([box.offset]);
        expect(parsePlaybook(after).boxes.map(({ key, checked }) => `${key} ${checked}`)).toEqual(
          boxes.map((each) => `${each.key} ${each.checked !== (each === box)}`),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves a ticked box ticked and an open one open', () => {
    const text = '- [X] a\n- [ ] b';
    const [a, b] = parsePlaybook(text).boxes;

    expect(tick(text, a!)).toBe(text);
    expect(untick(text, b!)).toBe(text);
    expect(untick(text, a!)).toBe('- [ ] a\n- [ ] b');
  });

  it('refuses a text that differs from the one parsed', () => {
    const [box] = parsePlaybook('- [ ] a').boxes;

    expect(() => tick('# New\n\n- [ ] a', box!)).toThrow(/Parse it again/);
  });
});

describe('ticking a task', () => {
  const text = '- [ ] a\r\n  - [ ] b\r\n    - [ ] c\r\n  - [x] d\r\n- [ ] e\r\n';

  it('ticks it with its sub-steps and nothing else', () => {
    const key = parsePlaybook(text).boxes[0]!.key;

    expect(tickTask(text, key)).toBe('- [x] a\r\n  - [x] b\r\n    - [x] c\r\n  - [x] d\r\n- [ ] e\r\n');
  });

  it('finds it in a text edited since', () => {
    const key = parsePlaybook(text).boxes.at(-1)!.key;

    expect(tickTask('# New\n\n- [ ] first\n\n* [ ]  e\n- [ ] a', key)).toBe(
      '# New\n\n- [ ] first\n\n* [x]  e\n- [ ] a',
    );
  });

  it('says so when the task is gone', () => {
    const key = parsePlaybook(text).boxes[0]!.key;

    expect(tickTask('- [ ] something else', key)).toBeUndefined();
    expect(tickTask(text, 'nothing-1' as TaskKey)).toBeUndefined();
  });

  it('gives the same text back when it is ticked already', () => {
    const ticked = '- [x] a';

    expect(tickTask(ticked, parsePlaybook(ticked).boxes[0]!.key)).toBe(ticked);
  });
});
