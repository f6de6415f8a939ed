import type { AgentEvent } from '../domain/event.ts';
import type { ConversationDigest } from './provider.ts';

export const EMPTY_DIGEST: ConversationDigest = {
  end: undefined,
  lastError: undefined,
  lastText: '',
  textOpen: false,
  events: 0,
  unknown: 0,
};

/** Characters of the last text that are kept. */
const TEXT_KEPT = 20_000;

/**
 * The digest after one more event. The first `end` counts; the last error counts, but one that says when to come back is not
 * replaced by one that doesn't.
 */
export function remember(digest: ConversationDigest, event: AgentEvent): ConversationDigest {
  const next = { ...digest, events: digest.events + 1, textOpen: false };
  switch (event.type) {
    case 'end':
      return { ...next, end: digest.end ?? event };
    case 'error':
      return digest.lastError?.resetAt !== undefined && event.resetAt === undefined
        ? next
        : { ...next, lastError: event };
    case 'text':
      return { ...next, lastText: textAfter(digest, event), textOpen: event.piece === true };
    case 'unknown':
      return { ...next, unknown: digest.unknown + 1 };
    case 'session':
    case 'thinking':
    case 'tool':
    case 'tool-result':
    case 'usage':
    case 'notice':
      return next;
  }
}

function textAfter(digest: ConversationDigest, event: Extract<AgentEvent, { type: 'text' }>): string {
  const before = digest.textOpen && event.piece === true ? digest.lastText : '';
  return `${before}${event.text}`.slice(0, TEXT_KEPT);
}
