import { createSign, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { verifyAppJwt } from '../../local-github/auth/jwt.ts';
import { createWorld } from '../../local-github/world.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const seconds = NOW / 1000;

function encode(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function signed(privateKey: string, claims: Record<string, unknown>, algorithm = 'RS256'): string {
  const text = `${encode({ alg: algorithm, typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey).toString('base64url')}`;
}

const { app } = await createWorld({}, NOW);
const fresh = { iat: seconds - 30, exp: seconds + 570, iss: app.id };

it('takes what the App signed, its id as number or text', () => {
  expect(() => verifyAppJwt(signed(app.privateKey, fresh), app, NOW)).not.toThrow();
  expect(() => verifyAppJwt(signed(app.privateKey, { ...fresh, iss: String(app.id) }), app, NOW)).not.toThrow();
});

it('refuses another key, another App, another algorithm', () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' });
  expect(() => verifyAppJwt(signed(String(other), fresh), app, NOW)).toThrow(/could not be decoded/);
  expect(() => verifyAppJwt(signed(app.privateKey, fresh, 'none'), app, NOW)).toThrow(/could not be decoded/);
  expect(() => verifyAppJwt(signed(app.privateKey, { ...fresh, iss: 1 }), app, NOW)).toThrow(/Integration not found/);
  expect(() => verifyAppJwt('ey.ey.ey', app, NOW)).toThrow(/could not be decoded/);
});

function verifying(claims: object): () => void {
  return () => verifyAppJwt(signed(app.privateKey, { ...fresh, ...claims }), app, NOW);
}

it('refuses what is over, lives too long, or comes from the future', () => {
  expect(verifying({ exp: seconds - 1 })).toThrow(/must be a numeric value representing the future time/);
  expect(verifying({ exp: seconds + 3600 })).toThrow(/too far in the future/);
  expect(verifying({ iat: seconds + 300 })).toThrow(/'Issued at' claim/);
});
