/** Deepest nesting taken. GitHub's own payloads stay below 15. */
const MAX_DEPTH = 64;

const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Thrown for bytes that are no JSON object we take; the message says what is wrong. */
export class BadJson extends Error {
  override readonly name = 'BadJson';
}

/** A JSON object as it came: the text that was signed, and its value. */
export interface JsonObject {
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/**
 * Reads bytes as one JSON object in UTF-8, nested at most 64 deep. Throws `BadJson` otherwise. The depth is counted before
 * parsing, so that a deep text costs one pass over its bytes and no stack.
 */
export function parseJsonObject(bytes: Buffer): JsonObject {
  if (bytes.includes(0)) throw new BadJson('the body holds a NUL byte');
  if (isTooDeep(bytes)) throw new BadJson(`the JSON is nested deeper than ${MAX_DEPTH}`);
  const text = decode(bytes);
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadJson('the body is no JSON object');
  }
  return { text, value: value as Record<string, unknown> };
}

function isTooDeep(bytes: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (inString) {
      if (byte === BACKSLASH) index += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (OPENING.has(byte)) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (CLOSING.has(byte)) depth -= 1;
  }
  return false;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new BadJson('the body is not UTF-8', { cause: error });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadJson('the body is not JSON', { cause: error });
  }
}
