import type { FailureKind } from './outcome.ts';
import type { Usage } from './usage.ts';

/**
 * What an agent said or did, the same for every provider. A session's stream holds any number of these and at most one `end`.
 * `unknown` is a line the codec did not understand: counted and shown, so that a CLI that changed its format is noticed.
 */
export type AgentEvent =
  | { readonly type: 'session'; readonly id: string; readonly model?: string }
  /** `piece`: a part of a text that goes on with the next `text` event that is a piece, if nothing else comes between. */
  | { readonly type: 'text'; readonly text: string; readonly piece?: true }
  | { readonly type: 'thinking'; readonly text: string }
  | { readonly type: 'tool'; readonly id: string; readonly name: string; readonly input: unknown }
  | { readonly type: 'tool-result'; readonly id: string; readonly isError: boolean; readonly output: string }
  | { readonly type: 'usage'; readonly usage: Usage }
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'error'; readonly failure: FailureKind; readonly message: string; readonly resetAt?: number }
  | { readonly type: 'end'; readonly ok: boolean; readonly text: string }
  | { readonly type: 'unknown'; readonly line: string };
