import { describe, expect, it } from 'vitest';
import { createJournal } from '../../local-github/journal.ts';

describe('what happened', () => {
  it('is looked at from where one was, however much of it is forgotten', () => {
    const journal = createJournal<number>(3);
    journal.add(1, 2);
    const seen = journal.total();
    expect(journal.since(seen)).toEqual([]);
    journal.add(3, 4);
    expect(journal.kept()).toEqual([2, 3, 4]);
    expect(journal.since(seen)).toEqual([3, 4]);
    expect(journal.total()).toBe(4);
  });

  it('is not taken for nothing where it is forgotten', () => {
    const journal = createJournal<number>(3);
    journal.add(1, 2, 3, 4, 5);
    expect(() => journal.since(1)).toThrow('keeps the newest 3 of what happened; 1 that are asked for are gone');
  });
});
