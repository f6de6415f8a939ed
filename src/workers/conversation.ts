import type { AgentEvent } from '../domain/event.ts';
import { addUsage, NO_USAGE, type Usage } from '../domain/usage.ts';
import type { ConversationDigest } from '../providers/provider.ts';

/** Longest text of the agent's remembered for the report. */
const REMEMBERED = 8_000;

/** A conversation as far as it has come: constant in size, however much is said. */
export interface Conversation {
  readonly digest: ConversationDigest;
  readonly usage: Usage;
  /** The provider's own id of the conversation. */
  readonly id: string | undefined;
}

export const SILENCE: Conversation = {
  digest: { end: undefined, lastError: undefined, lastText: '', events: 0, unknown: 0 },
  usage: NO_USAGE,
  id: undefined,
};

/** The conversation after one more event. The first `end` stays: nothing a process prints later makes it other. */
export function hear(conversation: Conversation, event: AgentEvent): Conversation {
  const { digest } = conversation;
  const counted = { ...digest, events: digest.events + 1 };
  switch (event.type) {
    case 'session':
      return { ...conversation, id: event.id, digest: counted };
    case 'text':
      return { ...conversation, digest: { ...counted, lastText: event.text.slice(0, REMEMBERED) } };
    case 'usage':
      return { ...conversation, usage: addUsage(conversation.usage, event.usage), digest: counted };
    case 'error':
      return { ...conversation, digest: { ...counted, lastError: event } };
    case 'end':
      return { ...conversation, digest: { ...counted, end: digest.end ?? event } };
    case 'unknown':
      return { ...conversation, digest: { ...counted, unknown: digest.unknown + 1 } };
    case 'thinking':
    case 'tool':
    case 'tool-result':
    case 'notice':
      return { ...conversation, digest: counted };
  }
}
