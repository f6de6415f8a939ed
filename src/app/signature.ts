import { createHmac, timingSafeEqual } from 'node:crypto';

/** What GitHub sends in `X-Hub-Signature-256`: the algorithm and 64 hex digits. SHA-1 signatures are not taken. */
const SIGNATURE = /^sha256=([0-9a-f]{64})$/;

/** Checks one body against its signature while the body comes in, so that a large one never blocks the process. */
export interface SignatureCheck {
  update(chunk: Buffer): void;
  /** Whether the bytes seen are signed with the secret. Compares in constant time. Call once. */
  matches(): boolean;
}

/** Starts a check; undefined when `header` is no SHA-256 signature at all. */
export function startSignatureCheck(header: string | undefined, secret: string): SignatureCheck | undefined {
  const digits = SIGNATURE.exec(header ?? '')?.[1];
  if (digits === undefined) return undefined;
  const hmac = createHmac('sha256', secret);
  return {
    update: (chunk) => void hmac.update(chunk),
    matches: () => timingSafeEqual(hmac.digest(), Buffer.from(digits, 'hex')),
  };
}
