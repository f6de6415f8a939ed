import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createEndpointFinder } from '../../src/compose/installation-keys.ts';
import { listKeys, removeKey, resealKeys, setKey, type KeysDeps } from '../../src/cli/keys/keys.ts';
import { readConfig, type Config } from '../../src/config.ts';
import type { StoredKey } from '../../src/store/store.ts';

const CANARY = 'sk-ant-canary-of-octo-1234';
const [SECRET, OTHER] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];

function config(env: Readonly<Record<string, string>> = {}): Config {
  const pem = '-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----';
  return readConfig({ APP_ID: '1', PRIVATE_KEY: pem, WEBHOOK_SECRET: 's', ...env });
}

/** A world with one installation, and a store that shows what is in it. */
function world(env: Readonly<Record<string, string>> = { MAESTRO_KEYS_SECRET: SECRET }) {
  const rows = new Map<string, StoredKey>();
  const said: string[] = [];
  const deps: KeysDeps = {
    config: config(env),
    store: {
      saveKey: async (key) => void rows.set(`${key.installationId} ${key.protocol}`, key),
      listKeys: async () => [...rows.values()],
      removeKey: async (id, protocol) => rows.delete(`${id} ${protocol}`),
    },
    forge: {
      registration: async () => ({
        name: 'maestro',
        permissions: {},
        events: [],
        webhook: { url: undefined, contentType: undefined, verifiesTls: true },
        installations: [{ id: 77, account: 'Octo', suspended: false, permissions: {} }],
        clockAhead: 0,
      }),
    },
    readKey: async () => `${CANARY}\n`,
    write: (text) => void said.push(text),
    now: () => 1_800_000_000_000,
  };
  const findKey = async (id: number, protocol: string): Promise<StoredKey | undefined> => rows.get(`${id} ${protocol}`);
  const finder = (env2 = env) => {
    const secrets = new Set<string>();
    return { secrets, find: createEndpointFinder(config(env2), { findKey }, secrets) };
  };
  return { deps, rows, said, finder };
}

describe('a key of an installation', () => {
  it('is used before the operator’s, for that installation and protocol alone, and is known as a secret', async () => {
    const { deps, said, rows, finder } = world({ MAESTRO_KEYS_SECRET: SECRET, ANTHROPIC_API_KEY: 'sk-operator' });
    await setKey(deps, { installation: 'octo', protocol: 'anthropic' });
    const { find, secrets } = finder();
    expect(await find('anthropic', { installationId: 77 })).toMatchObject({ key: CANARY });
    expect(await find('anthropic', { installationId: 78 })).toMatchObject({ key: 'sk-operator' });
    expect(await find('openai', { installationId: 77 })).toBeUndefined();
    expect([...secrets]).toEqual([CANARY]);
    expect(JSON.stringify([...rows.values()])).not.toContain(CANARY);
    expect(said.join('')).not.toContain(CANARY);
    await listKeys(deps);
    expect(said.join('')).toContain('77  anthropic  set 2027-01-15');
    expect(said.join('')).not.toContain(CANARY);
  });

  it('is bound to its installation and protocol: a row that was moved can’t be opened', async () => {
    const { deps, rows, finder } = world();
    await setKey(deps, { installation: '77', protocol: 'anthropic' });
    const [row] = rows.values();
    rows.set('78 anthropic', { ...row!, installationId: 78 });
    rows.set('77 openai', { ...row!, protocol: 'openai' });
    const { find } = finder();
    await expect(find('anthropic', { installationId: 77 })).resolves.toMatchObject({ key: CANARY });
    await expect(find('anthropic', { installationId: 78 })).rejects.toThrow(/can't be opened/);
    await expect(find('openai', { installationId: 77 })).rejects.toThrow(/can't be opened/);
  });

  it('sealed twice looks different each time, and a changed byte is noticed', async () => {
    const { deps, rows, finder } = world();
    await setKey(deps, { installation: '77', protocol: 'openai' });
    const before = rows.get('77 openai')!;
    await setKey(deps, { installation: '77', protocol: 'openai' });
    expect(rows.get('77 openai')?.sealed).not.toBe(before.sealed);
    const bytes = Buffer.from(before.sealed.slice('v1.'.length), 'base64url');
    bytes[50]! ^= 1;
    rows.set('77 openai', { ...before, sealed: `v1.${bytes.toString('base64url')}` });
    await expect(finder().find('openai', { installationId: 77 })).rejects.toThrow(/can't be opened/);
  });

  it('with another secret, or none, says what to do; with the one before it, it opens and is sealed anew', async () => {
    const { deps, said, rows, finder } = world();
    await setKey(deps, { installation: '77', protocol: 'gemini' });
    const wrong = { MAESTRO_KEYS_SECRET: OTHER };
    await expect(finder(wrong).find('gemini', { installationId: 77 })).rejects.toThrow(/MAESTRO_KEYS_SECRET_BEFORE/);
    await expect(finder({}).find('gemini', { installationId: 77 })).rejects.toThrow(/MAESTRO_KEYS_SECRET is not set/);
    await expect(resealKeys({ ...deps, config: config(wrong) })).rejects.toThrow(/can't be opened/);
    await listKeys({ ...deps, config: config(wrong) });
    expect(said.at(-1)).toContain('can not be opened');
    const both = { MAESTRO_KEYS_SECRET: OTHER, MAESTRO_KEYS_SECRET_BEFORE: SECRET };
    await expect(finder(both).find('gemini', { installationId: 77 })).resolves.toMatchObject({ key: CANARY });
    await resealKeys({ ...deps, config: config(both) });
    await expect(finder(wrong).find('gemini', { installationId: 77 })).resolves.toMatchObject({ key: CANARY });
    expect(JSON.stringify([...rows.values()])).not.toContain(CANARY);
  });

  it('is asked for properly', async () => {
    const { deps } = world();
    const which = { installation: '77', protocol: 'anthropic' };
    await expect(setKey({ ...deps, config: config() }, which)).rejects.toThrow(/set MAESTRO_KEYS_SECRET/);
    await expect(setKey({ ...deps, readKey: async () => 'two words' }, which)).rejects.toThrow(/is no key/);
    await expect(setKey(deps, { ...which, protocol: 'smtp' })).rejects.toThrow(/anthropic, openai, gemini/);
    await expect(setKey(deps, { ...which, installation: 'nobody' })).rejects.toThrow(
      /not installed for "nobody".*Octo/,
    );
    await expect(removeKey(deps, which)).rejects.toThrow(/has no anthropic key/);
    await setKey(deps, which);
    await removeKey(deps, which);
    await expect(removeKey(deps, which)).rejects.toThrow(/has no anthropic key/);
  });
});
