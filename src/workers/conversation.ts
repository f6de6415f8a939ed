import type { AgentEvent } from '../domain/event.ts';
import { addUsage, NO_USAGE, type Usage } from '../domain/usage.ts';
import { EMPTY_DIGEST, remember } from '../providers/digest.ts';
import type { ConversationDigest } from '../providers/provider.ts';

/** A conversation as far as it has come: constant in size, however much is said. */
export interface Conversation {
  readonly digest: ConversationDigest;
  /** As the agent reports it. */
  readonly usage: Usage;
  /** The provider's own id of the conversation. */
  readonly id: string | undefined;
}

export const SILENCE: Conversation = { digest: EMPTY_DIGEST, usage: NO_USAGE, id: undefined };

/** The conversation after one more event. */
export function hear(conversation: Conversation, event: AgentEvent): Conversation {
  return {
    digest: remember(conversation.digest, event),
    usage: event.type === 'usage' ? addUsage(conversation.usage, event.usage) : conversation.usage,
    id: event.type === 'session' ? event.id : conversation.id,
  };
}
