import type { Refusal } from '../refusal.ts';
import { codeSpan, encodeInline, encodeProse } from './untrusted-text.ts';

export interface RefusalContext {
  /** Login of the person who asked. */
  readonly requester: string;
}

/** The comment that says, once, that a request is not carried out, why, and what can be done. */
export function renderRefusal(refusal: Refusal, context: RefusalContext): string {
  const help = refusal.reason === 'bad-command' ? ` ${codeSpan('/maestro help')} lists the commands.` : '';
  return [
    `**Maestro** did not start anything. ${encodeProse(refusal.message, refusal.refersTo)}${help}`,
    `<sub>Asked for by ${encodeInline(context.requester)}</sub>`,
  ].join('\n\n');
}
