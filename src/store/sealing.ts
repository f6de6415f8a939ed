import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { SealError } from './store.ts';

/** What a sealed key belongs to: sealed for one place, it can't be opened in another. */
export interface SealedFor {
  readonly installationId: number;
  readonly protocol: string;
}

/** Seals keys with the operator's secret, and opens what was sealed with it or with one before it. */
export interface Sealer {
  seal(key: string, of: SealedFor): string;
  /** Throws `SealError` when none of the secrets opens it, or when it was sealed for something else. */
  open(sealed: string, of: SealedFor): string;
}

const VERSION = 'v1';

/** Bytes of salt, nonce and tag. AES-GCM's own (NIST SP 800-38D): 96 bits of nonce, 128 of tag. */
const SALT = 16;
const NONCE = 12;
const TAG = 16;

/**
 * AES-256-GCM with a key of its own for everything sealed (HKDF-SHA-256 over the secret and a random salt), bound to what it is
 * for as associated data.
 *
 * @param secrets At least one, each with at least as many random bits as the cipher's key. New things are sealed with the first.
 */
export function createSealer(secrets: readonly [string, ...(readonly string[])]): Sealer {
  return {
    seal(key, of) {
      const salt = randomBytes(SALT);
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv('aes-256-gcm', derive(secrets[0], salt), nonce).setAAD(boundTo(of));
      const text = Buffer.concat([cipher.update(key, 'utf8'), cipher.final()]);
      return `${VERSION}.${Buffer.concat([salt, nonce, cipher.getAuthTag(), text]).toString('base64url')}`;
    },
    open(sealed, of) {
      const [version, encoded = ''] = sealed.split('.');
      const bytes = Buffer.from(encoded, 'base64url');
      if (version === VERSION && bytes.length > SALT + NONCE + TAG) {
        for (const secret of secrets) {
          const key = openWith(secret, bytes, of);
          if (key !== undefined) return key;
        }
      }
      throw new SealError(
        `The ${of.protocol} key of installation ${of.installationId} can't be opened with MAESTRO_KEYS_SECRET. ` +
          'If the secret was changed, put the one before it into MAESTRO_KEYS_SECRET_BEFORE; else set the key anew with "maestro keys set".',
      );
    },
  };
}

function openWith(secret: string, bytes: Buffer, of: SealedFor): string | undefined {
  const salt = bytes.subarray(0, SALT);
  const nonce = bytes.subarray(SALT, SALT + NONCE);
  const tag = bytes.subarray(SALT + NONCE, SALT + NONCE + TAG);
  try {
    const decipher = createDecipheriv('aes-256-gcm', derive(secret, salt), nonce, { authTagLength: TAG });
    decipher.setAAD(boundTo(of)).setAuthTag(tag);
    return Buffer.concat([decipher.update(bytes.subarray(SALT + NONCE + TAG)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

function derive(secret: string, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, 'maestro key store', 32));
}

function boundTo({ installationId, protocol }: SealedFor): Buffer {
  return Buffer.from(JSON.stringify([VERSION, installationId, protocol]));
}
