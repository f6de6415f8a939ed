import type { AgentEvent } from '../../src/domain/event.ts';
import { EMPTY_DIGEST, remember } from '../../src/providers/digest.ts';
import type { ConversationDigest } from '../../src/providers/provider.ts';

/** The digest of a whole stream of events. */
export function digestOf(events: readonly AgentEvent[]): ConversationDigest {
  return events.reduce(remember, EMPTY_DIGEST);
}
