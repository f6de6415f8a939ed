/** Stands for a character that Postgres cannot hold. */
const REPLACEMENT = '\uFFFD';

/**
 * Text as Postgres can hold it: U+0000 and unpaired surrogates become U+FFFD. Neither occurs in text that GitHub sends as valid
 * JSON (there they stand escaped, and the escape is stored as it is).
 */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', REPLACEMENT);
}

/**
 * JSON text of `value` as `jsonb` can hold it: escapes of U+0000 and of unpaired surrogates become U+FFFD, in keys too.
 * `undefined` becomes `null`.
 */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value ?? null);
  // JSON.stringify escapes surrogates only where they are unpaired. `\\\\` is matched so that an escaped backslash is skipped whole.
  return json.replaceAll(/\\(?:\\|u0000|ud[89a-f][0-9a-f]{2})/g, (escape) =>
    escape === '\\\\' ? escape : REPLACEMENT,
  );
}

/**
 * SQL that reads a text column of people's words: as JSON, which every driver parses back to the same text. PGlite drops a
 * U+FEFF at the beginning of a plain text.
 */
export function readText(column: string): string {
  return `to_jsonb(${column}) AS ${column}`;
}

/** SQL NULL for undefined, else as {@link storableJson}. */
export function optionalJson(value: unknown): string | null {
  return value === undefined ? null : storableJson(value);
}

/** SQL NULL for undefined, else as {@link storableText}. */
export function optionalText(text: string | undefined): string | null {
  return text === undefined ? null : storableText(text);
}
