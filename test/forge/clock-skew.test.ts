import { describe, expect, it } from 'vitest';
import { DEMO, reply, startScriptedGithub } from './scripted-github.ts';

/** What GitHub says of an assertion whose times are not right by its own clock. */
const REFUSALS = {
  iat: "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
  exp: "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
  late: "'Expiration time' claim ('exp') is too far in the future",
};

function refusalOf(authorization: string, theirNow: number): string | undefined {
  const [, payload = ''] = authorization.replace(/^bearer /iu, '').split('.');
  const { iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { iat: number; exp: number };
  const seconds = theirNow / 1000;
  if (iat > seconds + 60) return REFUSALS.iat;
  if (exp <= seconds) return REFUSALS.exp;
  return exp > seconds + 11 * 60 ? REFUSALS.late : undefined;
}

describe('a clock that differs from GitHub’s (fault F27)', () => {
  it.each([-15, -10, -2, 0, 2, 10, 15])('by %i minutes keeps nobody out', async (minutes) => {
    const theirNow = (): number => Date.now() + minutes * 60_000;
    let refused = 0;
    await using github = await startScriptedGithub(({ method, path, authorization }, response) => {
      response.setHeader('date', new Date(theirNow()).toUTCString());
      response.setHeader('access-control-expose-headers', 'Date');
      const asApp = path.startsWith('/app');
      const refusal = asApp ? refusalOf(authorization, theirNow()) : undefined;
      if (refusal === undefined) {
        if (method === 'POST' && path.endsWith('/access_tokens'))
          return reply(response, 201, {
            token: 'a-token-of-the-installation',
            expires_at: new Date(theirNow() + 3_600_000).toISOString(),
            permissions: {},
          });
        return path.includes('/reactions') ? { id: 1 } : undefined;
      }
      refused += 1;
      return reply(response, 401, { message: refusal });
    });
    const forge = github.forge();

    await forge.react(DEMO, { kind: 'issue', number: 3 }, 'eyes');
    await forge.react(DEMO, { kind: 'issue', number: 3 }, 'rocket');

    expect(github.matching(/^POST .*reactions/u)).toHaveLength(2);
    // One token for both, though by our own clock it may look as if it had run out, and one refusal at most to learn the time from.
    expect(github.matching(/^POST .*access_tokens/u).length - refused).toBe(1);
    expect(refused).toBe(minutes === 0 || minutes === 2 ? 0 : 1);
  });
});
