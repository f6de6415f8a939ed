import { expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';
import { imageFor, imageOfProvider } from '../src/domain/own-image.ts';

const PEM = '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----';
const APP = { APP_ID: '1', PRIVATE_KEY: PEM, WEBHOOK_SECRET: 's' };

it('reads what is trusted, lent and run, by repository', () => {
  process.env['MAESTRO_TEST_WORD'] = 'quince';
  const config = readConfig({
    ...APP,
    MAESTRO_TRUST: 'acme/*=mcp, hooks; acme/web=settings\nother/x=mcp',
    MAESTRO_MCP_SECRETS: 'acme/web:WORD=env:MAESTRO_TEST_WORD',
    MAESTRO_IMAGES: 'acme/web=ghcr.io/acme/web:1.2@sha256:0f;acme/*=devcontainer',
    MAESTRO_SETUP_HOSTS: 'none',
  });
  delete process.env['MAESTRO_TEST_WORD'];
  expect(config.MAESTRO_TRUST).toEqual([
    { repositories: 'acme/*', kinds: ['mcp', 'hooks'] },
    { repositories: 'acme/web', kinds: ['settings'] },
    { repositories: 'other/x', kinds: ['mcp'] },
  ]);
  expect(config.MAESTRO_MCP_SECRETS).toEqual([{ repositories: 'acme/web', name: 'WORD', value: 'quince' }]);
  expect(imageFor(config.MAESTRO_IMAGES, 'acme/web')).toBe('ghcr.io/acme/web:1.2@sha256:0f');
  expect(imageFor(config.MAESTRO_IMAGES, 'acme/api')).toBe('devcontainer');
  expect(imageFor(config.MAESTRO_IMAGES, 'other/api')).toBeUndefined();
  expect(config.MAESTRO_SETUP_HOSTS).toEqual([]);
  expect(readConfig(APP).MAESTRO_SETUP_HOSTS).toContain('registry.npmjs.org');
  expect(imageOfProvider('maestro-agent:{provider}', 'codex')).toBe('maestro-agent:codex');
});

it.each([
  ['MAESTRO_TRUST', 'acme=mcp'],
  ['MAESTRO_TRUST', 'acme/*=everything'],
  ['MAESTRO_TRUST', 'acme/*'],
  ['MAESTRO_MCP_SECRETS', 'acme/*:WORD=secret'],
  ['MAESTRO_MCP_SECRETS', 'acme/*:WORD=file:/nowhere/at/all'],
  ['MAESTRO_MCP_SECRETS', 'acme/*:WORD=env:MAESTRO_NEVER_SET'],
  ['MAESTRO_IMAGES', 'acme/*=--privileged'],
])('refuses %s=%s and shows how it must read', (key, value) => {
  expect(() => readConfig({ ...APP, [key]: value })).toThrow(ConfigError);
  expect(() => readConfig({ ...APP, [key]: value })).toThrow(/must read like acme\//);
});
