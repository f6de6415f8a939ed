/** A text as a TOML basic string (https://toml.io/en/v1.0.0#string). */
export function tomlString(text: string): string {
  // JSON's escapes are TOML's; TOML also wants DEL escaped, and well-formed text.
  return JSON.stringify(text.toWellFormed()).replaceAll('\u007F', String.raw`\u007F`);
}

/** Texts as a TOML array. */
export function tomlArray(texts: readonly string[]): string {
  return `[${texts.map(tomlString).join(', ')}]`;
}

/** Texts by name as a TOML inline table. */
export function tomlTable(texts: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(texts).map(([name, text]) => `${tomlString(name)} = ${tomlString(text)}`);
  return `{ ${pairs.join(', ')} }`;
}
