import type { Playbook, PlaybookSource } from '../domain/playbook.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Repository } from '../domain/repository.ts';
import type { IssueSnapshot } from '../domain/webhook.ts';
import { ForgeError, type Forge } from '../forge/forge.ts';
import { parsePlaybook } from '../playbook/parse.ts';
import { namedPlaybooks } from '../playbook/references.ts';
import type { NotStarted } from './not-started.ts';

/** What the parser says of a text without a checkbox. An issue may be such a text: it is then the one task itself. */
const NO_TASKS = parsePlaybook('').problems[0]?.message;

/** Most other playbooks a refusal names. */
const MOST_SUGGESTIONS = 5;

/** A playbook together with its source. An issue that turns out to hold no checkbox is its own task. */
export function parseSource(source: PlaybookSource): { readonly source: PlaybookSource; readonly playbook: Playbook } {
  const playbook = parsePlaybook(source.text);
  if (source.kind !== 'checklist' || !hasNoTasks(playbook)) return { source, playbook };
  return { source: { ...source, kind: 'issue' }, playbook: { ...playbook, problems: [] } };
}

/** Whether a text simply holds no task, as against one whose tasks have to be mended. */
export function hasNoTasks(playbook: Playbook): boolean {
  return playbook.boxes.length === 0 && playbook.problems.every((problem) => problem.message === NO_TASKS);
}

/** An issue's text as a playbook: `checklist` until parsing shows that it has no boxes. */
export function issueSource(issue: IssueSnapshot): PlaybookSource {
  return { kind: 'checklist', issue: issue.number, title: issue.title, text: issue.body };
}

/** The playbook files an issue without a checklist of its own names, in order, once each. */
export function issuePlaybooks(body: string): readonly string[] {
  return parsePlaybook(body).boxes.length > 0 ? [] : namedPlaybooks(body);
}

/**
 * The path of a playbook somebody names, below `directory`, which may be left out; undefined for what is no such path. Reaches
 * no other file of the repository.
 */
export function playbookPath(named: string, directory: string): string | undefined {
  const path = named.startsWith(`${directory}/`) ? named : `${directory}/${named}`;
  const isPlain = path.length <= 255 && path.endsWith('.md') && /^[\w .,@+/-]+$/.test(path);
  const segments = path.split('/');
  return isPlain && !segments.some((part) => part === '' || part === '.' || part === '..') ? path : undefined;
}

/** Reads a committed playbook at a commit, or says why that is refused. Rejects with `ForgeError` when GitHub gives no answer. */
export async function readPlaybookFile(
  forge: Forge,
  repository: Repository,
  file: { readonly path: string; readonly directory: string; readonly sha: string },
): Promise<PlaybookSource | NotStarted> {
  const { path, directory, sha } = file;
  try {
    const content = await forge.readFile(repository, path, sha);
    if (content !== undefined) return { kind: 'file', path, text: content.text };
  } catch (error) {
    if (!(error instanceof ForgeError) || error.kind !== 'invalid') throw error;
    return refused({
      reason: 'bad-playbook',
      message: `\`${path}\` can't be read as a playbook: it has to be UTF-8 text of less than 1 MB.`,
    });
  }
  const others = (await forge.listFiles(repository, directory, sha)).map((entry) => entry.path);
  const playbooks = others.filter((other) => other.endsWith('.md')).slice(0, MOST_SUGGESTIONS);
  const there = playbooks.length === 0 ? 'there are none' : playbooks.map((other) => `\`${other}\``).join(', ');
  return refused({
    reason: 'not-found',
    message: `There is no \`${path}\` on \`${repository.defaultBranch}\`. Playbooks there: ${there}.`,
  });
}

function refused(refusal: Refusal): NotStarted {
  return { kind: 'refused', refusal };
}
