import type { Explanation } from '../explain.ts';
import { encodeInline, encodeProse } from './untrusted-text.ts';

/** The comment that explains a run: the answer first, then each thing that could hold it. */
export function renderExplanation({ verdict, gates }: Explanation, requester: string): string {
  const lines = gates.map(({ name, passed, says }) => `- ${passed ? '✅' : '❌'} ${name}: ${encodeProse(says)}`);
  return [
    `**Maestro** ${encodeProse(verdict)}`,
    lines.join('\n'),
    `<sub>Asked for by ${encodeInline(requester)}. This is how it was when asked; it is not kept up to date.</sub>`,
  ].join('\n\n');
}
