import { createHmac } from 'node:crypto';

/** The signature GitHub would send for `body`. */
export function signatureOf(body: Buffer | string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
