import type { RunRequest } from '../../domain/plan-run.ts';
import type { IssueSnapshot } from '../../domain/webhook.ts';
import { refuse, refuseProblems, type Asked } from '../answer.ts';
import type { AppDeps } from '../deps.ts';
import { issueSource, issuePlaybooks, readPlaybookFile } from '../sources.ts';
import { startRun, type Part } from '../start.ts';

/** The runs an issue's text asks for: one per playbook file it names, else one for the issue itself. */
export function partsOf(deps: AppDeps, request: RunRequest, issue: IssueSnapshot): readonly Part[] {
  const paths = issuePlaybooks(issue.body);
  if (paths.length > 0) return paths.map((path) => filePart(deps, request, path));
  return [{ path: undefined, read: async () => issueSource(issue) }];
}

/** A run of one committed playbook, read from the default branch. */
export function filePart(deps: AppDeps, request: RunRequest, path: string): Part {
  const directory = deps.rules.playbookDirectory;
  return {
    path,
    read: (sha) => readPlaybookFile(deps.forge, request.repository, { path, directory, sha }),
  };
}

/** Starts each part of a request made in a thread and answers there for those that can't start. Returns the note. */
export async function startParts(
  deps: AppDeps,
  request: RunRequest,
  parts: readonly Part[],
  asked: Asked,
): Promise<string> {
  const notes: string[] = [];
  for (const part of parts) notes.push(await startPart(deps, request, part, asked));
  return notes.join(', ');
}

async function startPart(deps: AppDeps, request: RunRequest, part: Part, asked: Asked): Promise<string> {
  const started = await startRun(deps, request, part);
  switch (started.kind) {
    case 'started':
      return `run ${started.run.id} ${started.isNew ? 'created' : 'is there already'}`;
    case 'ignored':
      return `ignored: ${started.reason}`;
    case 'problems':
      return await refuseProblems(deps, asked, started);
    case 'refused':
      return await refuse(deps, asked, started.refusal);
  }
}
