import { parsePlaybook } from './parse.ts';
import { isPlaybookPath, namedPlaybooks } from './references.ts';

/** What an issue asks for: to run playbook files it names, to run the checklist it holds, or to do what it says. */
export type IssueKind =
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  | { readonly kind: 'checklist' }
  | { readonly kind: 'single' };

/**
 * What an issue with this `body` asks for. A playbook named outside the issue's checklist comes first; one named inside a task
 * belongs to that task, unless the checklist is nothing but a list of playbooks.
 */
export function issueKind(body: string): IssueKind {
  const { boxes } = parsePlaybook(body);
  const named = namedPlaybooks(body);
  if (boxes.length === 0) return named.length > 0 ? { kind: 'files', paths: named } : { kind: 'single' };
  const inTasks = new Set(boxes.flatMap((box) => namedPlaybooks(box.text)));
  const outside = named.filter((path) => !inTasks.has(path));
  if (outside.length > 0) return { kind: 'files', paths: outside };
  const isIndex = boxes.every((box) => isPlaybookPath(box.title));
  return isIndex
    ? { kind: 'files', paths: boxes.filter((box) => !box.checked).map((box) => box.title) }
    : { kind: 'checklist' };
}
