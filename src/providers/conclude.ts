import type { ModelRefusal } from '../domain/model-refusal.ts';
import type { Failure } from '../domain/outcome.ts';
import type { Conclusion, ConversationDigest } from './provider.ts';
import { failureOfRefusal } from './refusal.ts';

/**
 * The rule all providers share: a conversation succeeded when it said so with its last event *and* the process ended with 0.
 * Otherwise the last error says why, or where that does not, what the model endpoint answered last; without either it crashed.
 */
export function concludeByEnd(
  seen: ConversationDigest,
  code: number | undefined,
  of: { readonly title: string; readonly refusal: ModelRefusal | undefined },
): Conclusion {
  const { end } = seen;
  if (end?.ok === true && code === 0) return { kind: 'finished', summary: end.text === '' ? seen.lastText : end.text };
  const why = end?.ok === true ? undefined : whyOf(seen, of.refusal);
  const failure = why ?? { kind: 'crash', message: crashMessage(seen, code, of.title) };
  return { kind: 'failed', failure: { ...failure, ...detail(seen) } };
}

/** The same, for CLIs that may report success after an error they told: it then was none. */
export function concludeUnlessError(
  seen: ConversationDigest,
  code: number | undefined,
  of: { readonly title: string; readonly refusal: ModelRefusal | undefined },
): Conclusion {
  const { end, lastError } = seen;
  if (lastError === undefined || end === undefined) return concludeByEnd(seen, code, of);
  return concludeByEnd({ ...seen, end: { ...end, ok: false } }, code, of);
}

/**
 * The CLI's own word where that is specific; the wire's where it is not, or where the CLI only saw the gateway's answer in place of
 * an endpoint that gave none. When to come back is taken from either.
 */
function whyOf({ lastError }: ConversationDigest, refusal: ModelRefusal | undefined): Failure | undefined {
  const onWire = refusal === undefined ? undefined : failureOfRefusal(refusal);
  if (lastError === undefined || (onWire !== undefined && lastError.failure === 'crash')) return onWire;
  if (lastError.failure === 'overloaded' && onWire?.kind === 'network') return onWire;
  const { failure: kind, message, resetAt } = lastError;
  if (resetAt !== undefined) return { kind, message, resetAt };
  return kind === 'overloaded' && onWire?.resetAt !== undefined ? onWire : { kind, message };
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
