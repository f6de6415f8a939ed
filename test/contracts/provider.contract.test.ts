import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentTask, Provider } from '../../src/providers/provider.ts';
import { createProviders, findProvider, providerIds } from '../../src/providers/registry.ts';
import { claudeTranscript, replay, SCRIPTED_TRANSCRIPT } from '../providers/transcripts.ts';

const providers = createProviders({ scriptedAgent: '/opt/maestro/scripted-agent.mjs' });

const SUCCESSES: Readonly<Record<string, readonly string[]>> = {
  'claude-code': claudeTranscript('success'),
  scripted: SCRIPTED_TRANSCRIPT,
};

const TASK: AgentTask = {
  prompt: 'Write "hello.txt"; $(touch /x) `id`\n--version\n'.repeat(10_000),
  model: undefined,
  effort: undefined,
  conversation: '6ba57796-3945-4749-8bd5-213de3836d68',
  cwd: '/repo',
  gatewayUrl: 'http://127.0.0.1:8377',
  placeholderKey: 'maestro-placeholder-x',
};

test('the registry knows its providers by their ids, and nothing else', () => {
  expect(providerIds.map((id) => findProvider(providers, id)?.id)).toEqual(providerIds);
  for (const id of ['', 'codex', 'toString', '__proto__', 'constructor']) {
    expect(findProvider(providers, id)).toBeUndefined();
  }
});

describe.each(Object.values(providers))('$id', (provider: Provider) => {
  const lines = SUCCESSES[provider.id]!;

  test('has a name for people and an id for labels', () => {
    expect(provider.id).toMatch(/^[a-z0-9-]+$/);
    expect(provider.title).not.toBe('');
    expect(() => new URL(`https://${provider.hosts[0] ?? 'none'}`)).not.toThrow();
  });

  test('gives a prompt of any size on standard input, never in the command line', () => {
    const { argv, stdin } = provider.command(TASK);
    expect(stdin).toBe(TASK.prompt);
    expect(argv.join(' ').length).toBeLessThan(2_000);
  });

  test('sends everything the agent does by the gateway, with the placeholder', () => {
    const { env } = provider.command(TASK);
    expect(env).toMatchObject({ HTTPS_PROXY: TASK.gatewayUrl, HTTP_PROXY: TASK.gatewayUrl });
    expect(Object.values(env)).toContain(TASK.placeholderKey);
    expect(Object.keys(env).filter((name) => /^(?:PATH|HOME|LANG)$/.test(name))).toEqual([]);
  });

  test('understands every line of a conversation, and that it succeeded', () => {
    const { events, conclusion } = replay(provider, lines, 0);
    expect(events.filter(({ type }) => type === 'unknown')).toEqual([]);
    expect(events[0]).toMatchObject({ type: 'session' });
    expect(events.at(-1)).toMatchObject({ type: 'end', ok: true });
    expect(events.filter(({ type }) => type === 'end')).toHaveLength(1);
    const calls = events.filter(({ type }) => type === 'tool').map((event) => 'id' in event && event.id);
    const results = events.filter(({ type }) => type === 'tool-result').map((event) => 'id' in event && event.id);
    expect(calls.length).toBeGreaterThan(0);
    expect(results).toEqual(calls);
    expect(conclusion).toMatchObject({ kind: 'finished', summary: expect.stringContaining('rote') });
  });

  test.each([1, 137, 143, undefined])('does not take a good last word for success when the exit code is %s', (code) => {
    expect(replay(provider, lines, code).conclusion).toMatchObject({ kind: 'failed', failure: { kind: 'crash' } });
  });

  test.each([0, 1, undefined])('does not take exit code %s for success without a last word', (code) => {
    expect(replay(provider, lines.slice(0, -1), code).conclusion).toMatchObject({
      kind: 'failed',
      failure: { kind: 'crash' },
    });
    expect(replay(provider, [], code).conclusion).toMatchObject({ kind: 'failed', failure: { kind: 'crash' } });
  });

  test('a last line cut anywhere is no success', () => {
    const last = lines.at(-1)!;
    for (let at = 0; at < last.length; at += 1) {
      const { conclusion } = replay(provider, [...lines.slice(0, -1), last.slice(0, at)], 0);
      expect(conclusion.kind).toBe('failed');
    }
  });

  test('text between the lines is shown as unknown and changes nothing', () => {
    const noisy = lines.flatMap((line) => [
      line,
      'npm warn deprecated',
      '',
      '{"type":"telemetry.v9"}',
      '[]',
      'null',
      '7',
    ]);
    const { events, conclusion } = replay(provider, noisy, 0);
    expect(events.filter(({ type }) => type === 'unknown')).toHaveLength(lines.length * 5);
    expect(conclusion.kind).toBe('finished');
  });

  test('a line of 10 MB neither stops it nor is kept whole', () => {
    const junk = provider.decode('x'.repeat(10_000_000));
    const json = provider.decode(JSON.stringify({ type: 'tool-result', text: 'x'.repeat(10_000_000) }));
    for (const events of [junk, json]) {
      expect(events).toMatchObject([{ type: 'unknown' }]);
      expect(JSON.stringify(events).length).toBeLessThan(5_000);
    }
  });

  test('never throws, whatever a line holds', () => {
    const known = lines.map((line): unknown => JSON.parse(line));
    const typed = fc.record({ type: fc.constantFrom('system', 'assistant', 'user', 'result', 'say', 'end', 'tool') });
    const mixed = fc.tuple(typed, fc.dictionary(fc.string(), fc.jsonValue())).map(([a, b]) => ({ ...b, ...a }));
    const broken = fc
      .tuple(fc.constantFrom(...known), fc.string(), fc.jsonValue())
      .map(([line, name, value]) => ({ ...(line as object), [name]: value }));
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      mixed.map((value) => JSON.stringify(value)),
      broken.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(line, (text) => {
        expect(provider.decode(text)).toBeInstanceOf(Array);
      }),
      { numRuns: 2_000 },
    );
  });
});
