import { ACTIVE_STATES } from '../domain/active-run.ts';
import type { Repository } from '../domain/repository.ts';
import type { Run } from '../domain/run.ts';
import { triggerThread } from '../domain/trigger.ts';
import type { FoundEvent } from './as-payload.ts';
import { isKnown, type ScanDeps, type Span } from './scan-deps.ts';

/**
 * What ended runs of a repository without a webhook telling us: the label that asked for one was taken off, its issue was closed, its
 * pull request was closed or merged. Two or three requests for each run that is going.
 */
export async function findEndings(deps: ScanDeps, repository: Repository, span: Span): Promise<readonly FoundEvent[]> {
  const going = await deps.store.listRuns({ repositoryId: repository.id, states: ACTIVE_STATES });
  const found: FoundEvent[] = [];
  for (const run of going.filter(({ stop }) => stop === undefined)) {
    const events = [
      await closingOfPullRequest(deps, repository, run),
      ...(await endingsOfIssue(deps, repository, run)),
    ];
    for (const event of events) {
      if (event !== undefined && event.at <= span.to && !(await isKnown(deps, event))) found.push(event);
    }
  }
  return found;
}

async function closingOfPullRequest(
  { forge, survey }: ScanDeps,
  repository: Repository,
  run: Run,
): Promise<FoundEvent | undefined> {
  if (run.pullRequest === undefined) return undefined;
  const pull = await forge.findPullRequest(repository, run.branch);
  if (pull === undefined || pull.open) return undefined;
  const closed = (await survey.surveyedIssue(repository, pull.number))?.closed;
  if (closed === undefined) return undefined;
  const { number, merged } = pull;
  return { kind: 'pull-request-closed', repository, number, merged, sender: closed.by, at: closed.at };
}

async function endingsOfIssue(
  { survey }: ScanDeps,
  repository: Repository,
  { trigger }: Run,
): Promise<readonly FoundEvent[]> {
  const number = triggerThread(trigger);
  const surveyed = number === undefined ? undefined : await survey.surveyedIssue(repository, number);
  // A command in a pull request ends with that: its closing is told of above, if it is the run's own.
  if (number === undefined || surveyed === undefined || surveyed.issue.isPullRequest) return [];
  const { issue, closed } = surveyed;
  const found: FoundEvent[] = [];
  if (closed !== undefined && closed.at >= trigger.at)
    found.push({ kind: 'closed', repository, issue, sender: closed.by, at: closed.at });
  if (trigger.kind === 'label' && !issue.labels.includes(trigger.label)) {
    const { label } = trigger;
    const off = (await survey.labelings(repository, number)).findLast(
      (one) => one.kind === 'unlabeled' && one.label === label && one.at >= trigger.at,
    );
    if (off !== undefined) found.push({ kind: 'unlabeled', repository, issue, label, sender: off.sender, at: off.at });
  }
  return found;
}
