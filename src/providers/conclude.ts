import type { Conclusion, ConversationDigest } from './provider.ts';

/**
 * The rule all providers share: a conversation succeeded when it said so with its last event *and* the process ended with 0.
 * Otherwise the last error says why; without one it crashed.
 */
export function concludeByEnd(seen: ConversationDigest, code: number | undefined, title: string): Conclusion {
  const { end, lastError } = seen;
  if (end?.ok === true && code === 0) return { kind: 'finished', summary: end.text === '' ? seen.lastText : end.text };
  if (lastError !== undefined && end?.ok !== true) {
    const { failure, message, resetAt } = lastError;
    const reset = resetAt === undefined ? {} : { resetAt };
    return { kind: 'failed', failure: { kind: failure, message, ...detail(seen), ...reset } };
  }
  return { kind: 'failed', failure: { kind: 'crash', message: crashMessage(seen, code, title), ...detail(seen) } };
}

function crashMessage(seen: ConversationDigest, code: number | undefined, title: string): string {
  const ended = code === undefined ? 'ended without an exit code' : `ended with exit code ${code}`;
  if (seen.end === undefined) return `${title} ${ended} before it reported a result.`;
  return seen.end.ok
    ? `${title} reported success, but ${ended}.`
    : `${title} reported a failure without saying which, and ${ended}.`;
}

function detail(seen: ConversationDigest): { readonly detail?: string } {
  const text = seen.end?.text || seen.lastText;
  return text === '' ? {} : { detail: text };
}
