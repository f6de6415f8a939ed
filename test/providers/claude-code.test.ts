import { describe, expect, test } from 'vitest';
import type { AgentTask } from '../../src/providers/provider.ts';
import { claudeCode } from '../../src/providers/claude-code/provider.ts';
import { claudeTranscript, replay } from './transcripts.ts';

const TASK: AgentTask = {
  prompt: 'Write hello.txt',
  model: 'claude-sonnet-4-5',
  effort: 'high',
  conversation: '6ba57796-3945-4749-8bd5-213de3836d68',
  cwd: '/repo',
  gatewayUrl: 'http://127.0.0.1:8377',
  placeholderKey: 'placeholder',
};

describe('the command', () => {
  test('is headless, prints events, asks for no permission and takes no MCP servers from the repository', () => {
    expect(claudeCode.command(TASK).argv.join(' ')).toMatch(
      /^claude -p --output-format stream-json --verbose --dangerously-skip-permissions --strict-mcp-config --max-turns \d+ --session-id 6ba57796-3945-4749-8bd5-213de3836d68 --model claude-sonnet-4-5 --effort high$/,
    );
  });

  test('leaves model and effort to Claude Code when the task names none', () => {
    const { argv } = claudeCode.command({ ...TASK, model: undefined, effort: undefined });
    expect(argv).not.toContain('--model');
    expect(argv).not.toContain('--effort');
  });

  test('points the model API at the gateway and turns everything else off', () => {
    expect(claudeCode.command(TASK).env).toMatchObject({
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:8377/anthropic',
      ANTHROPIC_API_KEY: 'placeholder',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_TELEMETRY: '1',
      NO_PROXY: '127.0.0.1,localhost',
    });
  });

  test('has it speak as the cloud does, unsigned, where the model is in one', () => {
    const { env } = claudeCode.command({ ...TASK, cloud: { kind: 'bedrock', region: 'eu-west-1' } });
    expect(env).toMatchObject({
      CLAUDE_CODE_USE_BEDROCK: '1',
      CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1',
      ANTHROPIC_BEDROCK_BASE_URL: 'http://127.0.0.1:8377/bedrock',
      AWS_REGION: 'eu-west-1',
      AWS_BEARER_TOKEN_BEDROCK: 'placeholder',
    });
    expect(env).not.toHaveProperty('ANTHROPIC_API_KEY');
    const cloud = { kind: 'vertex', region: 'us-east5', project: 'mine' } as const;
    expect(claudeCode.command({ ...TASK, cloud }).env).toMatchObject({
      CLAUDE_CODE_USE_VERTEX: '1',
      ANTHROPIC_VERTEX_BASE_URL: 'http://127.0.0.1:8377/vertex/v1',
      ANTHROPIC_VERTEX_PROJECT_ID: 'mine',
      CLOUD_ML_REGION: 'us-east5',
      ANTHROPIC_CUSTOM_HEADERS: 'x-api-key: placeholder',
    });
  });
});

describe('a recorded conversation', () => {
  test('becomes the events of what was said and done', () => {
    const { events } = replay(claudeCode, claudeTranscript('success'), 0);
    expect(events).toMatchObject([
      { type: 'session', model: 'claude-opus-5-5' },
      { type: 'thinking', text: 'Let me think.' },
      { type: 'text', text: 'I will write the file.' },
      { type: 'tool', name: 'Write', input: { content: 'hello\n' } },
      { type: 'tool-result', isError: false },
      { type: 'tool', name: 'Bash' },
      { type: 'tool-result', isError: true, output: 'Exit code 3\nhello' },
      { type: 'text', text: 'Done: wrote hello.txt.' },
      {
        type: 'usage',
        usage: { inputTokens: 3000, outputTokens: 120, cachedInputTokens: 600, costUsd: expect.closeTo(0.01452) },
      },
      { type: 'end', ok: true, text: 'Done: wrote hello.txt.' },
    ]);
  });

  test('with partial messages says everything once', () => {
    const { events } = replay(claudeCode, claudeTranscript('partial'), 0);
    expect(events.map(({ type }) => type)).toEqual(['session', 'text', 'usage', 'end']);
  });

  test('tells of retries and is a success all the same', () => {
    const { events, conclusion } = replay(claudeCode, claudeTranscript('rate-limited-once'), 0);
    expect(events).toContainEqual({
      type: 'notice',
      text: expect.stringMatching(/^The model endpoint answered 429; trying again in \d\.\d s \(1 of 3\)\.$/),
    });
    expect(conclusion).toEqual({ kind: 'finished', summary: 'Fine.' });
  });

  test.each([
    ['wrong-key', 'auth', 'Check the key'],
    ['not-logged-in', 'auth', 'Check the key'],
    ['bad-model', 'auth', 'Choose another model'],
    ['rate-limited', 'overloaded', 'HTTP 429'],
    ['overloaded', 'overloaded', 'HTTP 529'],
    ['unreachable', 'overloaded', 'HTTP 502'],
    ['prompt-too-long', 'context-full', 'Split it'],
    ['max-turns', 'crash', 'did not come to an end'],
  ])('%s is a failure of kind %s that says what to do', (name, kind, message) => {
    const { events, conclusion } = replay(claudeCode, claudeTranscript(name), 1);
    expect(events.filter(({ type }) => type === 'unknown')).toEqual([]);
    expect(conclusion).toMatchObject({ kind: 'failed', failure: { kind, message: expect.stringContaining(message) } });
  });
});

function result(fields: object): string {
  return JSON.stringify({ type: 'result', is_error: true, ...fields });
}

function limited(status: string): string {
  return JSON.stringify({ type: 'rate_limit_event', rate_limit_info: { status, resetsAt: 1_795_371_600 } });
}

describe('a result', () => {
  test.each([
    [{ api_error_status: 403 }, 'auth'],
    [{ api_error_status: 402 }, 'quota'],
    [{ api_error_status: 500 }, 'overloaded'],
    [{ api_error_status: 400 }, 'crash'],
    [{ api_error_status: null, api_error: 'connection_failed', terminal_reason: 'api_error' }, 'network'],
    [{ terminal_reason: 'budget_exhausted', subtype: 'error_max_budget_usd' }, 'budget'],
    [{ terminal_reason: 'aborted_tools', subtype: 'error_during_execution' }, 'crash'],
    [{ subtype: 'success', result: 'All went well, 401 times.' }, 'crash'],
  ])('%o is a failure of kind %s', (fields, kind) => {
    expect(replay(claudeCode, [result(fields)], 1).conclusion).toMatchObject({ kind: 'failed', failure: { kind } });
  });

  test('after the account’s limit was reached says when it is lifted', () => {
    const lines = [limited('rejected'), result({ api_error_status: 429 })];
    expect(replay(claudeCode, lines, 1).conclusion).toMatchObject({
      kind: 'failed',
      failure: { kind: 'quota', resetAt: 1_795_371_600_000 },
    });
  });

  test('after a mere warning about the limit does not', () => {
    const lines = [limited('allowed_warning'), result({ api_error_status: 429 })];
    expect(replay(claudeCode, lines, 1).conclusion).toMatchObject({ failure: { kind: 'overloaded' } });
  });
});
