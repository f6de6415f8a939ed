import { sealerOf } from '../../compose/installation-keys.ts';
import { ConfigError, type Config } from '../../config.ts';
import type { ModelProtocol } from '../../providers/provider.ts';
import type { Registration } from '../../forge/forge.ts';
import type { Sealer } from '../../store/sealing.ts';
import type { Store } from '../../store/store.ts';
import { KEY_PROTOCOLS } from './protocols.ts';

export interface KeysDeps {
  readonly config: Config;
  readonly store: Pick<Store, 'saveKey' | 'listKeys' | 'removeKey'>;
  readonly forge: Registration;
  /** The key, read from where nobody else sees it. */
  readonly readKey: () => Promise<string>;
  readonly write: (text: string) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Which key is meant. `installation` is the installation's numeric id, or the login of the account that has the App. */
export interface WhichKey {
  readonly installation: string;
  readonly protocol: string;
}

/** Seals a key and keeps it for an installation. Throws `ConfigError` for what can't be. */
export async function setKey(deps: KeysDeps, which: WhichKey): Promise<void> {
  const sealer = neededSealer(deps.config);
  const { installationId, protocol } = await resolve(deps, which);
  const key = (await deps.readKey()).trim();
  if (key.length < 8 || /\s/.test(key))
    throw new ConfigError('What came in on standard input is no key: it has to be one word of at least 8 characters.');
  const sealed = sealer.seal(key, { installationId, protocol });
  await deps.store.saveKey({ installationId, protocol, sealed, setAt: deps.now() });
  deps.write(`The ${protocol} key of installation ${installationId} is set (…${key.slice(-4)}).\n`);
}

/** Lists what keys there are, never the keys, and which of them can't be opened. */
export async function listKeys(deps: KeysDeps): Promise<void> {
  const keys = await deps.store.listKeys();
  if (keys.length === 0) return deps.write('No installation has a key of its own.\n');
  const sealer = sealerOf(deps.config);
  for (const key of keys) {
    const note = sealer !== undefined && canOpen(sealer, key) ? '' : '  can not be opened with MAESTRO_KEYS_SECRET';
    deps.write(`${key.installationId}  ${key.protocol}  set ${new Date(key.setAt).toISOString()}${note}\n`);
  }
}

/** Forgets a key. Throws `ConfigError` when there is none. */
export async function removeKey(deps: KeysDeps, which: WhichKey): Promise<void> {
  const { installationId, protocol } = await resolve(deps, which);
  if (!(await deps.store.removeKey(installationId, protocol)))
    throw new ConfigError(`Installation ${installationId} has no ${protocol} key.`);
  deps.write(`The ${protocol} key of installation ${installationId} is removed.\n`);
}

/** Seals every key anew with the present secret, so that the one before it can go. */
export async function resealKeys(deps: KeysDeps): Promise<void> {
  const sealer = neededSealer(deps.config);
  const keys = await deps.store.listKeys();
  // All are opened before the first is changed: a wrong secret changes nothing.
  const opened = keys.map((key) => ({ ...key, sealed: sealer.seal(sealer.open(key.sealed, key), key) }));
  for (const key of opened) await deps.store.saveKey(key);
  deps.write(`${keys.length} keys are sealed with MAESTRO_KEYS_SECRET; MAESTRO_KEYS_SECRET_BEFORE can go.\n`);
}

function canOpen(sealer: Sealer, key: Parameters<Store['saveKey']>[0]): boolean {
  try {
    return sealer.open(key.sealed, key) !== '';
  } catch {
    return false;
  }
}

function neededSealer(config: Config): Sealer {
  const sealer = sealerOf(config);
  if (sealer === undefined)
    throw new ConfigError(
      'Keys are kept sealed: set MAESTRO_KEYS_SECRET, the same for every process (make one with `openssl rand -base64 32`).',
    );
  return sealer;
}

async function resolve(
  { forge }: KeysDeps,
  { installation, protocol }: WhichKey,
): Promise<{ readonly installationId: number; readonly protocol: ModelProtocol }> {
  const known = KEY_PROTOCOLS.find((one) => one === protocol);
  if (known === undefined)
    throw new ConfigError(`There are keys for ${KEY_PROTOCOLS.join(', ')}; "${protocol}" is none of them.`);
  if (/^\d+$/.test(installation)) return { installationId: Number(installation), protocol: known };
  const { installations } = await forge.registration();
  const found = installations.find(({ account }) => account.toLowerCase() === installation.toLowerCase());
  if (found === undefined)
    throw new ConfigError(
      `The App is not installed for "${installation}"; it is for ${installations.map(({ account }) => account).join(', ') || 'nobody'}.`,
    );
  return { installationId: found.id, protocol: known };
}
