import type { ProposedTask } from '../domain/question.ts';
import { parsePlaybook } from './parse.ts';

/** UTF-8 bytes of a proposal: an agent's list is shorter than people's documents. */
const LARGEST = 32 * 1024;

/** The tasks of a checklist an agent proposes, or the first thing that is wrong with it, with what to write instead. */
export function readProposal(markdown: string): readonly ProposedTask[] | { readonly problem: string } {
  const { boxes, problems } = parsePlaybook(markdown, { limits: { bytes: LARGEST } });
  const [problem] = problems;
  if (problem !== undefined)
    return { problem: `The checklist can't be taken, line ${problem.line}: ${problem.message} ${problem.fix}` };
  return boxes.flatMap(({ parent, title, text }) => (parent === undefined ? [{ title, text }] : []));
}
