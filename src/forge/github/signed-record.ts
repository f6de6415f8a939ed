import { createHmac, timingSafeEqual } from 'node:crypto';

const RECORD = /<!-- maestro:record ([A-Za-z0-9+/=]+) ([0-9a-f]{64}) -->/u;

/**
 * A JSON value as a hidden line of a text of ours. Its HMAC binds it to one repository: copied elsewhere, or changed, it says nothing
 * (threat S48).
 */
export function signedRecord(secret: string, repositoryId: number, record: unknown): string {
  const payload = Buffer.from(JSON.stringify(record)).toString('base64');
  return `<!-- maestro:record ${payload} ${macOf(secret, repositoryId, payload)} -->`;
}

/** The value a text carries; undefined when it carries none that we signed for this repository. */
export function readSignedRecord(secret: string, repositoryId: number, text: string): unknown {
  const [, payload, mac] = RECORD.exec(text) ?? [];
  if (payload === undefined || mac === undefined) return undefined;
  const expected = macOf(secret, repositoryId, payload);
  if (!timingSafeEqual(Buffer.from(mac, 'hex'), Buffer.from(expected, 'hex'))) return undefined;
  return JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
}

function macOf(secret: string, repositoryId: number, payload: string): string {
  return createHmac('sha256', secret).update(`record\n${repositoryId}\n${payload}`).digest('hex');
}
