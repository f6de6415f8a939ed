import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { readRestDocument, readWebhookDocument } from '../../local-github/referee/document.ts';

interface Manifest {
  readonly public: boolean;
  readonly default_permissions: Readonly<Record<string, string>>;
  readonly default_events: readonly string[];
}

const manifest = parse(readFileSync(join(import.meta.dirname, '../../app.yml'), 'utf8')) as Manifest;

it('asks for these permissions and no others', () => {
  expect(manifest.default_permissions).toEqual({
    metadata: 'read',
    contents: 'write',
    pull_requests: 'write',
    issues: 'write',
    checks: 'write',
  });
});

it('asks for these events and no others', () => {
  expect([...manifest.default_events].sort()).toEqual([
    'issue_comment',
    'issues',
    'pull_request',
    'push',
    'repository',
  ]);
});

it('is not offered to others', () => {
  expect(manifest.public).toBe(false);
});

it('names only permissions, levels and events that GitHub has', () => {
  const known = readRestDocument().components.schemas['app-permissions']?.['properties'] as Readonly<
    Record<string, { readonly enum: readonly string[] }>
  >;
  const sent = Object.keys(readWebhookDocument().webhooks ?? {});

  const unknownPermissions = Object.entries(manifest.default_permissions).filter(
    ([permission, level]) => known[permission]?.enum.includes(level) !== true,
  );
  const unknownEvents = manifest.default_events
    .map((event) => event.replaceAll('_', '-'))
    .filter((event) => !sent.some((name) => name === event || name.startsWith(`${event}-`)));

  expect(unknownPermissions).toEqual([]);
  expect(unknownEvents).toEqual([]);
});
