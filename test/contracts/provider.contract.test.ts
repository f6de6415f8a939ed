import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentTask, Provider } from '../../src/providers/provider.ts';
import { providerIds } from '../../src/providers/ids.ts';
import { createProviders, findProvider } from '../../src/providers/registry.ts';
import { recorded, refusalOf, REFUSED_AT, replay, SCRIPTED_TRANSCRIPT, transcript } from '../providers/transcripts.ts';

const providers = createProviders({ scriptedAgent: '/opt/maestro/scripted-agent.mjs' });

/** Providers that were recorded: all that drive a CLI. */
const RECORDED = Object.values(providers).filter(({ cli }) => cli !== undefined);

function successOf({ id, cli }: Provider): readonly string[] {
  return cli === undefined ? SCRIPTED_TRANSCRIPT : transcript(id, 'success');
}

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
  for (const id of ['', 'codex2', 'Codex', 'toString', '__proto__', 'constructor']) {
    expect(findProvider(providers, id)).toBeUndefined();
  }
});

describe.each(Object.values(providers))('$id', (provider: Provider) => {
  const lines = successOf(provider);

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

  test('keeps its conversations in directories of their own, where it is given nothing', () => {
    const { directories, without, layouts } = provider.sessions;
    expect(directories.length).toBeGreaterThan(0);
    for (const directory of directories) {
      expect(directory).toMatch(/^\.[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9]$/);
      expect(directory).not.toContain('..');
      const given = Object.keys(provider.command({ ...TASK, systemPrompt: 'x', mcpServers: {} }).files);
      expect(given.filter((file) => file.startsWith(`${directory}/`))).toEqual([]);
    }
    for (const path of without) expect(directories.some((directory) => path.startsWith(`${directory}/`))).toBe(true);
    expect(layouts.some(({ directory }) => directories.some((one) => directory.startsWith(one)))).toBe(true);
  });

  test('never throws over what stands where its conversations should', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, path) => {
        for (const layout of provider.sessions.layouts) {
          layout.idOf(path);
          expect(layout.read(value)).toBeInstanceOf(Object);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is told of the conversation to go on with by its id alone', () => {
    const earlier = provider.command({ ...TASK, prompt: '', resume: 'earlier-conversation-7' });
    expect(JSON.stringify([earlier.argv, earlier.env])).toContain('earlier-conversation-7');
    expect(JSON.stringify(provider.command(TASK))).not.toContain('earlier-conversation-7');
  });

  test('understands every line of a conversation, and that it succeeded', () => {
    const { events, conclusion } = replay(provider, lines, 0);
    expect(events.filter(({ type }) => type === 'unknown')).toEqual([]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'session' }));
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

  test('a line that arrives in two pieces is not understood, and the end still counts', () => {
    for (let at = 0; at < lines.length - 1; at += 1) {
      const line = lines[at]!;
      const middle = Math.ceil(line.length / 2);
      const cut = [...lines.slice(0, at), line.slice(0, middle), line.slice(middle), ...lines.slice(at + 1)];
      const { events, conclusion } = replay(provider, cut, 0);
      expect(events.filter(({ type }) => type === 'unknown')).toHaveLength(2);
      expect(conclusion.kind).toBe('finished');
    }
  });

  test('names no address but the gateway’s', () => {
    const said = JSON.stringify(provider.command({ ...TASK, prompt: '' }));
    const addresses = [...said.matchAll(/https?:\/\/[^"'\s\\,]+/g)].map(([url]) => new URL(url).host);
    expect(addresses).toContain('127.0.0.1:8377');
    expect(addresses.filter((host) => host !== '127.0.0.1:8377' && host !== '127.0.0.1:9')).toEqual([]);
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
    const types = [...new Set(known.map((line) => (line as { readonly type: string }).type))];
    const typed = fc.record({ type: fc.constantFrom(...types, 'error', 'result') });
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

describe.each(RECORDED)('$id, as recorded,', (provider: Provider) => {
  const { scenarios, ...cli } = recorded(provider.id);

  function ended(name: string): ReturnType<typeof replay> {
    const of = scenarios[name];
    if (of === undefined)
      throw new Error(`${provider.id} was not recorded in ${name}: npm run record -- ${provider.id}`);
    return replay(provider, transcript(provider.id, name), of.code, refusalOf(of.refusal));
  }

  test('is the version that the agent image holds', () => {
    expect(cli).toEqual(provider.cli);
  });

  test('says nothing in any scenario that is not understood', () => {
    for (const name of Object.keys(scenarios)) {
      expect([name, ended(name).events.filter(({ type }) => type === 'unknown')]).toEqual([name, []]);
    }
  });

  test('thinks aloud where the CLI prints it', () => {
    const thoughts = ended('success').events.filter(({ type }) => type === 'thinking');
    // Gemini CLI does not.
    expect(thoughts.map((event) => 'text' in event && event.text)).toEqual(
      provider.id === 'gemini' ? [] : ['Let me think.'],
    );
  });

  test('tells of commands that failed', () => {
    const failed = ended('success').events.filter((event) => event.type === 'tool-result' && event.isError);
    // Codex's own JavaScript tool and Gemini CLI do not say how a command ended.
    expect(failed.length).toBe(provider.id === 'gemini' ? 0 : 1);
  });

  test('goes on with an earlier conversation', () => {
    expect(ended('resume').conclusion).toEqual({ kind: 'finished', summary: 'I remember.' });
  });

  test.each([
    ['wrong-key', 'auth'],
    ['bad-model', 'auth'],
    ['rate-limited', 'overloaded'],
    ['overloaded', 'overloaded'],
    ['unreachable', 'network'],
    ['cut', 'network'],
  ])('in %s fails with kind %s', (name, kind) => {
    expect(ended(name).conclusion).toMatchObject({ kind: 'failed', failure: { kind } });
  });

  test('at the end of its quota says when that is back', () => {
    expect(ended('quota').conclusion).toMatchObject({
      kind: 'failed',
      failure: { kind: 'quota', resetAt: REFUSED_AT + 3_600_000 },
    });
  });

  test('without credit, where the endpoint has a word for it, does not wait for it', () => {
    const { conclusion } = ended('no-credit');
    const kind = provider.protocol === 'openai' ? 'quota' : 'overloaded';
    expect(conclusion).toMatchObject({ kind: 'failed', failure: { kind } });
    expect(conclusion).not.toHaveProperty('failure.resetAt');
  });

  test('with a prompt that is too long says so, where anything but prose does', () => {
    // Gemini's endpoint has no word of its own for it, and its CLI no event.
    const kind = provider.protocol === 'gemini' ? 'crash' : 'context-full';
    expect(ended('prompt-too-long').conclusion).toMatchObject({ kind: 'failed', failure: { kind } });
  });

  test('refused once goes on or says that it did not', () => {
    // Codex does not try again after a 429: the engine does.
    const expected =
      provider.id === 'codex' ? { kind: 'failed', failure: { kind: 'overloaded' } } : { kind: 'finished' };
    expect(ended('rate-limited-once').conclusion).toMatchObject(expected);
  });

  test('takes no failure for another because the agent talks about it', () => {
    const lines = transcript(provider.id, 'success').map((line) =>
      line.replaceAll('Done: wrote hello.txt.', 'HTTP 429 rate limit, 401 unauthorized, context window exceeded'),
    );
    expect(replay(provider, lines, 0).conclusion.kind).toBe('finished');
    expect(replay(provider, lines, 1).conclusion).toMatchObject({ failure: { kind: 'crash' } });
  });
});

describe.each(RECORDED)('$id is told', (provider: Provider) => {
  const plain = JSON.stringify(provider.command(TASK));

  test('the model, the effort and the system prompt', () => {
    expect(JSON.stringify(provider.command({ ...TASK, model: 'a-model' }))).toContain('a-model');
    const effort = JSON.stringify(provider.command({ ...TASK, effort: 'high' }));
    // Gemini CLI has no such setting.
    expect(effort.includes('high') && effort !== plain).toBe(provider.id !== 'gemini');
    const said = provider.command({ ...TASK, systemPrompt: 'Say "please".\nAlways.' });
    expect(JSON.stringify(said)).toContain('please');
  });

  test('which conversation to go on with', () => {
    const { argv } = provider.command({ ...TASK, resume: 'an-earlier-one' });
    expect(argv.join(' ')).toMatch(/(resume|fork|-s)[ =]an-earlier-one/);
    expect(argv.join(' ')).not.toContain(TASK.conversation);
  });

  test('which MCP servers to offer', () => {
    const mcpServers = { lab: { command: 'node', args: ['/x.mjs', 'a "b"'], env: { LEVEL: '3' } } };
    const told = JSON.stringify(provider.command({ ...TASK, mcpServers }));
    for (const word of ['lab', '/x.mjs', 'LEVEL']) expect(told).toContain(word);
    const remote = { far: { url: 'https://mcp.example.com/x', headers: { 'X-Team': 'jam' } } };
    const toldOfRemote = JSON.stringify(provider.command({ ...TASK, mcpServers: remote }));
    for (const word of ['far', 'https://mcp.example.com/x', 'X-Team', 'jam']) expect(toldOfRemote).toContain(word);
  });
});
