import type { Problem } from '../domain/playbook.ts';

/** A file's bytes as text, or what is wrong with them. `binary` is no text at all. */
export type Decoded =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'problem'; readonly problem: Problem }
  | { readonly kind: 'binary' };

/**
 * Text of UTF-8 bytes, a byte order mark kept, since offsets count it. Bytes that are not valid become U+FFFD, which
 * `parsePlaybook` reports where it stands. UTF-16, with or without a mark, is a problem of its own.
 */
export function decodeText(bytes: Uint8Array): Decoded {
  const head = bytes.subarray(0, 4_096);
  const isMarked = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  if (isMarked || looksLikeUtf16(head)) return { kind: 'problem', problem: UTF16 };
  const nuls = head.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  if (nuls > 3) return { kind: 'binary' };
  return { kind: 'text', text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) };
}

const UTF16: Problem = {
  line: 1,
  column: 1,
  message: 'This file is in the encoding UTF-16.',
  fix: 'Save it in the encoding UTF-8.',
};

/** Mostly Latin text in UTF-16 has a NUL in every other byte. */
function looksLikeUtf16(head: Uint8Array): boolean {
  const pairs = Math.floor(head.length / 2);
  if (pairs < 2) return false;
  const zeros = [0, 0];
  for (let index = 0; index < pairs * 2; index += 1) {
    if (head[index] === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  }
  const [even = 0, odd = 0] = zeros;
  return Math.max(even, odd) > pairs * 0.7 && Math.min(even, odd) < pairs * 0.1;
}
