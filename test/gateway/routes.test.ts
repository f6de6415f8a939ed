import { describe, expect, test } from 'vitest';
import { findRoute } from '../../src/gateway/routes.ts';

describe('model requests that are passed on', () => {
  test.each([
    ['anthropic', 'POST', '/anthropic/v1/messages', '/v1/messages'],
    ['anthropic', 'POST', '/anthropic/v1/messages?beta=true', '/v1/messages?beta=true'],
    ['anthropic', 'POST', '/anthropic/v1/messages/count_tokens', '/v1/messages/count_tokens'],
    ['anthropic', 'GET', '/anthropic/v1/models?limit=5', '/v1/models?limit=5'],
    ['anthropic', 'HEAD', '/anthropic', '/'],
    ['openai', 'POST', '/openai/v1/responses', '/v1/responses'],
    ['openai', 'POST', '/openai/v1/chat/completions', '/v1/chat/completions'],
    [
      'gemini',
      'POST',
      '/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse&key=placeholder',
      '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
    ],
    ['gemini', 'GET', '/gemini/v1beta/models?%6bey=x', '/v1beta/models'],
  ] as const)('%s: %s %s', (protocol, method, target, expected) => {
    const route = findRoute(protocol, method, target);
    expect(route && route.path + route.query).toBe(expected);
  });

  test.each([
    ['anthropic', 'POST', '/anthropic/v1/files'],
    ['anthropic', 'GET', '/anthropic/v1/messages'],
    ['anthropic', 'DELETE', '/anthropic/v1/models'],
    ['anthropic', 'GET', '/anthropic/v1/organizations/api_keys'],
    ['anthropic', 'POST', '/anthropic/v1/messages/batches'],
    ['anthropic', 'POST', '/anthropic/v1/messages/../files'],
    ['anthropic', 'POST', '/anthropic/v1/messages%2f..%2ffiles'],
    ['anthropic', 'POST', '/anthropic//v1/messages'],
    ['anthropic', 'POST', '/anthropic/v1/messages/'],
    ['anthropic', 'POST', '/anthropic@evil.example/v1/messages'],
    ['anthropic', 'POST', '/anthropic.evil.example/v1/messages'],
    ['anthropic', 'POST', '/openai/v1/responses'],
    ['anthropic', 'POST', 'http://evil.example/anthropic/v1/messages'],
    ['openai', 'POST', '/openai/v1/fine_tuning/jobs'],
    ['gemini', 'POST', '/gemini/v1beta/models/a/../../files:upload'],
    ['gemini', 'POST', '/gemini/v1beta/models/a:batchGenerateContent'],
    ['gemini', 'POST', '/gemini/upload/v1beta/files'],
  ] as const)('not %s: %s %s', (protocol, method, target) => {
    expect(findRoute(protocol, method, target)).toBeUndefined();
  });
});
