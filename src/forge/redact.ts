/** Shorter values than this would take ordinary words out of ordinary text. */
const SHORTEST = 8;

/**
 * Makes a function that replaces known secret values in a text by `[redacted]`: as they are, and as base64 (at any offset, either
 * alphabet), hexadecimal, URL-encoded, JSON-escaped or reversed. `secrets` is asked each time, since tokens come and go.
 */
export function createRedactor(secrets: () => readonly string[]): (text: string) => string {
  return (text) => {
    let out = text;
    for (const secret of secrets()) {
      if (secret.length < SHORTEST) continue;
      for (const form of formsOf(secret)) out = out.replaceAll(form, '[redacted]');
    }
    return out;
  };
}

function formsOf(secret: string): ReadonlySet<string> {
  const bytes = Buffer.from(secret, 'utf8');
  const hex = bytes.toString('hex');
  return new Set([
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    secret.split('').reverse().join(''),
    hex,
    hex.toUpperCase(),
    ...[0, 1, 2].flatMap((offset) => base64At(bytes, offset)),
  ]);
}

/** The characters of base64 that depend on `bytes` alone when they begin `offset` bytes into what was encoded. */
function base64At(bytes: Buffer, offset: number): readonly string[] {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replaceAll('=', '');
  const head = offset === 0 ? 0 : offset + 1;
  const tail = (offset + bytes.length) % 3 === 0 ? 0 : 1;
  const sure = encoded.slice(head, encoded.length - tail);
  return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')];
}
