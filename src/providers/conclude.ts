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

/** What only a CLI can know: the wire saw a refused request at most. */
const OWN_WORD: ReadonlySet<Failure['kind']> = new Set(['context-full', 'budget', 'permission', 'quota']);

/**
 * The CLI's own word where it knows more than that a request failed; else what the endpoint answered on the wire, which says more
 * than the CLIs pass on; without that, the CLI's word again.
 */
function whyOf({ lastError }: ConversationDigest, refusal: ModelRefusal | undefined): Failure | undefined {
  const onWire = refusal === undefined ? undefined : failureOfRefusal(refusal);
  if (lastError === undefined || (onWire !== undefined && !OWN_WORD.has(lastError.failure))) return onWire;
  const { failure: kind, message, resetAt } = lastError;
  return { kind, message, ...(resetAt === undefined ? {} : { resetAt }) };
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
