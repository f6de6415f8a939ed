import { describe, expect, it } from 'vitest';
import { labelRequest, naturalKey, triggerThread, type Trigger } from '../../src/domain/trigger.ts';

const sender = { id: 1, login: 'wanda' };
const label: Trigger = { kind: 'label', issue: 3, label: 'maestro', at: 1000, sender };
const command: Trigger = { kind: 'command', issue: 3, commentId: 9, at: 1000, sender };
const push: Trigger = { kind: 'push', path: 'a.md', blob: 'b1', after: 'c1', at: 1000, sender };

describe('the natural key of a request', () => {
  it('tells every request from every other', () => {
    const keys = [
      naturalKey(1, label),
      naturalKey(2, label),
      naturalKey(1, { ...label, issue: 4 }),
      naturalKey(1, { ...label, label: 'maestro:codex' }),
      naturalKey(1, { ...label, at: 2000 }),
      naturalKey(1, label, 'a.md'),
      naturalKey(1, command),
      naturalKey(1, { ...command, commentId: 10 }),
      naturalKey(1, command, 'a.md'),
      naturalKey(1, push),
      naturalKey(1, { ...push, blob: 'b2' }),
      naturalKey(1, { ...push, after: 'c2' }),
      naturalKey(1, { ...push, path: 'b.md' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('does not hang on who is named how, nor on when a comment or push is said to be', () => {
    expect(naturalKey(1, { ...label, sender: { id: 1, login: 'renamed' } })).toBe(naturalKey(1, label));
    expect(naturalKey(1, { ...command, at: 5 })).toBe(naturalKey(1, command));
    expect(naturalKey(1, { ...push, at: 5 })).toBe(naturalKey(1, push));
  });
});

describe('what a label asks for', () => {
  it.each([
    ['maestro', { provider: undefined }],
    ['maestro:codex', { provider: 'codex' }],
    ['maestro: codex ', { provider: 'codex' }],
    ['maestro:', { provider: '' }],
  ])('%s: a run', (name, request) => {
    expect(labelRequest(name)).toEqual(request);
  });

  it.each(['maestro-queued', 'maestro-running', 'maestro-done', 'maestros', 'bug', ''])('%s: nothing', (name) => {
    expect(labelRequest(name)).toBeUndefined();
  });
});

it('a push has no thread', () => {
  expect([label, command, push].map(triggerThread)).toEqual([3, 3, undefined]);
});
