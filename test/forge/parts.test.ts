import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markerFor } from '../../src/forge/github/comments.ts';
import { lastPage } from '../../src/forge/github/pages.ts';
import { roleOf } from '../../src/forge/github/roles.ts';
import { gitUrl, webUrl } from '../../src/forge/github/urls.ts';
import { createRedactor } from '../../src/forge/redact.ts';

describe('addresses', () => {
  const at = { owner: 'o', repo: 'r' };

  it.each([
    ['https://api.github.com', 'https://github.com/o/r.git'],
    ['https://api.github.com/', 'https://github.com/o/r.git'],
    ['https://git.example.com/api/v3', 'https://git.example.com/o/r.git'],
    ['http://127.0.0.1:3000/api/v3/', 'http://127.0.0.1:3000/o/r.git'],
    ['https://api.tenant.ghe.com', 'https://tenant.ghe.com/o/r.git'],
  ])('of git at %s', (baseUrl, expected) => {
    expect(gitUrl(baseUrl, at)).toBe(expected);
    expect(`${webUrl(baseUrl, at)}.git`).toBe(expected);
  });
});

describe('a role', () => {
  it.each([
    ['admin', 'admin', 'admin'],
    ['write', 'maintain', 'maintain'],
    ['write', 'write', 'write'],
    ['read', 'triage', 'triage'],
    ['read', 'read', 'read'],
    ['none', 'none', 'none'],
    ['write', 'release-manager', 'write'],
    ['read', 'auditor', 'read'],
  ])('%s/%s is %s', (permission, roleName, expected) => {
    expect(roleOf('mona', permission, roleName)).toBe(expected);
  });

  it.each([
    ['read', 'admin'],
    ['write', 'triage'],
    ['owner', 'owner'],
    ['write', undefined],
    ['write', ''],
    [undefined, 'admin'],
  ])('%s/%s is no clear answer', (permission, roleName) => {
    expect(() => roleOf('mona', permission, roleName)).toThrow('no clear answer on the role of mona');
  });
});

function encode(text: string, encoding: BufferEncoding): string {
  return Buffer.from(text).toString(encoding);
}

describe('redaction', () => {
  const secret = 'sk-ant-Ünïque/secret+value"1';
  const redact = createRedactor(() => [secret, 'short']);

  it('replaces a secret in the forms it may be smuggled in', () => {
    const forms = [
      secret,
      JSON.stringify({ key: secret }),
      encodeURIComponent(secret),
      secret.split('').reverse().join(''),
      encode(secret, 'hex'),
      encode(secret, 'base64'),
      encode(`x${secret}yz`, 'base64'),
      encode(`xy${secret}z`, 'base64'),
      encode(`xy${secret}`, 'base64url'),
    ];
    for (const form of forms) {
      expect(form).not.toContain('[redacted]');
      expect(redact(`a ${form} b`)).toContain('[redacted]');
    }
  });

  it('finds base64 at any offset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9 }), (before, after) => {
        const hidden = Buffer.concat([before, Buffer.from(secret), after]).toString('base64');

        expect(redact(hidden)).toContain('[redacted]');
      }),
    );
  });

  it('leaves other text, and values too short to be secrets', () => {
    expect(redact('a short text without anything')).toBe('a short text without anything');
  });
});

describe('a hidden marker', () => {
  it('is bound to repository, thread and key', () => {
    const markers = [
      markerFor('secret', 1, 2, 'status'),
      markerFor('other', 1, 2, 'status'),
      markerFor('secret', 2, 2, 'status'),
      markerFor('secret', 1, 3, 'status'),
      markerFor('secret', 1, 2, 'refusal:5'),
    ];

    expect(new Set(markers).size).toBe(markers.length);
    expect(markers[0]).toMatch(/^<!-- maestro:status [0-9a-f]{32} -->$/u);
  });

  it('takes no key that could end the comment', () => {
    expect(() => markerFor('secret', 1, 2, 'a --> b')).toThrow("a comment's key may hold");
    expect(() => markerFor('secret', 1, 2, 'a--b')).toThrow("a comment's key may hold");
  });
});

it('reads the last page off a link header', () => {
  expect(lastPage('<https://x/a?per_page=100&page=2>; rel="next", <https://x/a?per_page=100&page=7>; rel="last"')).toBe(
    7,
  );
  expect(lastPage(undefined)).toBe(1);
});
