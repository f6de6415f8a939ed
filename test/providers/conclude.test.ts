import { describe, expect, test } from 'vitest';
import type { AgentEvent } from '../../src/domain/event.ts';
import type { ModelRefusal } from '../../src/domain/model-refusal.ts';
import { concludeByEnd, concludeUnlessError } from '../../src/providers/conclude.ts';
import { tomlString } from '../../src/providers/toml.ts';
import { openAiApiFor } from '../../src/providers/openai-api.ts';
import { digestOf } from './digest-of.ts';

const AT = 1_795_000_000_000;
const END = { type: 'end', ok: true, text: 'Done.' } as const;
const CRASH = { type: 'error', failure: 'crash', message: 'It could not go on.' } as const;

function refused(status: number | undefined, parts: Partial<ModelRefusal> = {}): ModelRefusal {
  return { status, code: undefined, at: AT, resetAt: undefined, ...parts };
}

describe('how a conversation ended', () => {
  test.each([
    [refused(401), 'auth'],
    [refused(403), 'auth'],
    [refused(404), 'auth'],
    [refused(402), 'quota'],
    [refused(429, { code: 'insufficient_quota' }), 'quota'],
    [refused(429), 'overloaded'],
    [refused(429, { resetAt: AT + 5_000 }), 'overloaded'],
    [refused(429, { resetAt: AT + 60_000 }), 'quota'],
    [refused(500), 'overloaded'],
    [refused(529), 'overloaded'],
    [refused(undefined), 'network'],
    [refused(400, { code: 'context_length_exceeded' }), 'context-full'],
    [refused(413), 'context-full'],
    [refused(400), 'crash'],
  ])('is told by the wire where the agent says nothing of use: %o is %s', (refusal, kind) => {
    for (const events of [[], [CRASH]]) {
      expect(concludeByEnd(digestOf(events), 1, { title: 'It', refusal })).toMatchObject({ failure: { kind } });
    }
  });

  test('is told by the agent where it is more specific than the wire', () => {
    const full = { type: 'error', failure: 'context-full', message: 'Full.' } as const;
    expect(concludeByEnd(digestOf([full]), 1, { title: 'It', refusal: refused(400) })).toMatchObject({
      failure: { kind: 'context-full' },
    });
  });

  test('is success whatever was refused on the way', () => {
    const seen = digestOf([END]);
    expect(concludeByEnd(seen, 0, { title: 'It', refusal: refused(529) })).toEqual({
      kind: 'finished',
      summary: 'Done.',
    });
    expect(concludeByEnd(seen, 1, { title: 'It', refusal: refused(529) })).toMatchObject({
      failure: { kind: 'crash' },
    });
  });

  test('is no success after an error, for the CLIs of which an error means that', () => {
    const seen = digestOf([CRASH, END]);
    const of = { title: 'It', refusal: undefined };
    expect(concludeByEnd(seen, 0, of)).toMatchObject({ kind: 'finished' });
    expect(concludeUnlessError(seen, 0, of)).toMatchObject({ kind: 'failed', failure: { kind: 'crash' } });
    expect(concludeUnlessError(digestOf([END]), 0, of)).toMatchObject({ kind: 'finished' });
  });
});

function piece(text: string): AgentEvent {
  return { type: 'text', text, piece: true };
}

test('pieces of a text are one text, until something comes between', () => {
  const tool = { type: 'tool', id: '1', name: 'x', input: {} } as const;
  expect(digestOf([piece('a'), tool, piece('b'), piece('c')]).lastText).toBe('bc');
  expect(digestOf([piece('a'), { type: 'text', text: 'b' }]).lastText).toBe('b');
});

test.each([
  ['plain', '"plain"'],
  ['a "b"\n\\', String.raw`"a \"b\"\n\\"`],
  ['\u007F\u0001', String.raw`"\u007F\u0001"`],
])('%j in TOML', (text, toml) => {
  expect(tomlString(text)).toBe(toml);
});

test('models of OpenAI are asked by Responses, others by Chat Completions', () => {
  expect(['gpt-6.1-sol', 'o3', 'codex-mini'].map(openAiApiFor)).toEqual(['responses', 'responses', 'responses']);
  expect(['gpt-oss-120b', 'qwen3-coder', 'openrouter/gpt-5'].map(openAiApiFor)).toEqual(['chat', 'chat', 'chat']);
});
