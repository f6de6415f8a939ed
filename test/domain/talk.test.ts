import { describe, expect, it } from 'vitest';
import {
  hindrance,
  LIMITS,
  notesAfter,
  notesTold,
  understand,
  type Spoken,
  type Verb,
  type Word,
} from '../../src/domain/talk.ts';
import { readProposal } from '../../src/playbook/proposal.ts';

const TASKS = '- [ ] One\n- [ ] Two\n';

const note = (text: string): Word => ({ kind: 'note', text });

function say(verb: Verb, fields: readonly string[], before: readonly Word[] = []): ReturnType<typeof understand> {
  return understand({ verb, fields } satisfies Spoken, before, readProposal);
}

describe('what an agent says', () => {
  it('is understood', () => {
    expect(say('ask', [' Which one? ', 'This', 'That', 'This', ''])).toEqual({
      word: { kind: 'ask', text: 'Which one?', options: ['This', 'That'] },
    });
    expect(say('note', ['It moved.'])).toEqual({ word: { kind: 'note', text: 'It moved.' } });
    expect(say('done', ['All of it.'])).toEqual({ word: { kind: 'done', summary: 'All of it.' } });
    expect(say('blocked', ['No schema.'])).toEqual({ word: { kind: 'blocked', why: 'No schema.' } });
  });

  it('may be a proposal, whose tasks are those of its checklist', () => {
    expect(say('replan', ['The API is gone', '# New\n\n- [ ] One\n  with care\n  - [ ] a step\n- [ ] Two\n'])).toEqual({
      word: {
        kind: 'replan',
        why: 'The API is gone',
        tasks: [
          { title: 'One with care', text: expect.stringContaining('- [ ] a step') },
          { title: 'Two', text: 'Two' },
        ],
      },
    });
    expect(say('replan', ['Why', 'no list'])).toEqual({
      problem: expect.stringMatching(/^The checklist can't be taken, line 1: .*no tasks.*- \[ \]/),
    });
  });

  it.each([
    ['nothing', 'ask', ['  ']],
    ['a text that is too long', 'ask', ['x'.repeat(LIMITS.text + 1)]],
    ['a note that is too long', 'note', ['x'.repeat(LIMITS.note + 1)]],
    ['too many options', 'ask', ['Which?', ...Array.from({ length: LIMITS.options + 1 }, (_, at) => `${at}`)]],
    ['an option that is too long', 'ask', ['Which?', 'x'.repeat(LIMITS.option + 1)]],
    ['an option of two lines', 'ask', ['Which?', 'a\nb']],
    ['too many tasks', 'replan', ['Why', '- [ ] a\n'.repeat(LIMITS.tasks + 1)]],
  ] as const)('is refused with what to say instead: %s', (_, verb, fields) => {
    expect(say(verb, fields)).toEqual({ problem: expect.stringMatching(/\.$/) });
  });

  it('is bounded in number', () => {
    const notes = Array.from({ length: LIMITS.notes }, () => note('a'));
    expect(say('note', ['b'], notes.slice(1))).toHaveProperty('word');
    expect(say('note', ['b'], notes)).toHaveProperty('problem');
    expect(say('done', ['b'], notes)).toHaveProperty('word');
    const summaries = Array.from({ length: LIMITS.words }, (): Word => ({ kind: 'done', summary: 'a' }));
    expect(say('done', ['b'], summaries)).toHaveProperty('problem');
  });

  it.each([
    { kind: 'ask', text: 'Which?', options: [] },
    { kind: 'replan', why: 'Gone', tasks: [{ title: 'a', text: 'a' }] },
    { kind: 'blocked', why: 'Gone' },
  ] as const satisfies readonly Word[])('is over with $kind, but for notes', (word) => {
    expect(say('ask', ['And which?'], [word])).toEqual({ problem: expect.stringContaining('End your turn now') });
    expect(say('replan', ['And?', TASKS], [word])).toHaveProperty('problem');
    expect(say('done', ['All'], [word])).toHaveProperty('problem');
    expect(say('note', ['b'], [word])).toHaveProperty('word');
  });
});

describe('a task', () => {
  it('is not committed after words that end the turn', () => {
    const words: readonly Word[] = [
      { kind: 'note', text: 'a' },
      { kind: 'blocked', why: 'No schema.\nReally.' },
    ];
    expect(hindrance(words)).toEqual({
      kind: 'blocked',
      message: "The agent says that it can't be done: No schema. …",
      detail: 'No schema.\nReally.',
    });
    expect(hindrance([{ kind: 'done', summary: 'All' }])).toBeUndefined();
  });
});

describe('notes', () => {
  it('are kept once each, the newest of them', () => {
    expect(notesAfter({}, [note('a'), { kind: 'done', summary: 'x' }, note('b')])).toEqual(['a', 'b']);
    expect(notesAfter({ notes: ['a', 'c'] }, [note('a'), note('b')])).toEqual(['c', 'a', 'b']);
    const many = Array.from({ length: LIMITS.notes }, (_, at) => `n${at}`);
    expect(notesAfter({ notes: many }, [note('b')])).toEqual([...many.slice(1), 'b']);
  });

  it('are told to every session, the newest as far as there is room', () => {
    expect(notesTold([{ position: 1, notes: ['a\nb'] }, { position: 2 }, { position: 3, notes: ['c', 'd'] }])).toBe(
      '- Task 1: a\n  b\n- Task 3: c\n- Task 3: d',
    );
    const long = 'x'.repeat(LIMITS.note);
    const told = notesTold([{ position: 1, notes: [long, long, long, long, 'last'] }]);
    expect(told.length).toBeLessThanOrEqual(4_000);
    expect(told).toMatch(/- Task 1: last$/);
    expect(told.split('\n')).toHaveLength(4);
  });
});
