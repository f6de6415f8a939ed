import type { Clock } from '../domain/clock.ts';
import { runIdFor } from '../domain/ids.ts';
import type { Repository } from '../domain/repository.ts';
import { naturalKey } from '../domain/trigger.ts';
import type { Survey } from '../forge/forge.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { AnswerDeps } from './answer.ts';
import type { FoundEvent } from './as-payload.ts';
import type { AppDeps } from './deps.ts';
import { foundGuid, requestNames, wasDealtWith } from './heard.ts';

export interface ScanDeps extends AnswerDeps {
  readonly store: Pick<
    Store,
    'findMarks' | 'setMark' | 'tasksOf' | 'saveDelivery' | 'knownDeliveries' | 'listRuns' | 'findRun'
  >;
  readonly survey: Survey;
  readonly forge: AppDeps['forge'];
  readonly clock: Clock;
  readonly log: Log;
  readonly rules: AppDeps['rules'];
  /** Told when something was put into the inbox. */
  readonly wake: () => void;
  /** What is younger than this is left to its webhook, which may still be on its way. Milliseconds. */
  readonly graceMs: number;
  /** Done in each repository before it is looked through. */
  readonly before?: (repository: Repository, since: number) => Promise<void>;
}

/** The stretch of a repository's history that is looked through. Epoch milliseconds on GitHub's clock, give or take. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** Whether nobody looked here before: then what is there may have been done in a life of ours that we do not remember. */
  readonly first: boolean;
}

/** Times of one labelling, as a webhook and as the list of events tell it, are this close. Milliseconds. */
const SAME_LABELLING_MS = 2_000;

/** Whether a request was dealt with, is in the inbox as found already, or has a run. */
export async function isKnown(deps: Pick<ScanDeps, 'store'>, event: FoundEvent): Promise<boolean> {
  const { store } = deps;
  const names = requestNames(event);
  return (
    (await wasDealtWith(store, 'heard', names)) ||
    (await wasDealtWith(store, 'found', names)) ||
    (await store.knownDeliveries(names.map((name) => foundGuid(name)))).size > 0 ||
    (await hasRun(store, event))
  );
}

/** The run of a request that was made when nothing was remembered of requests, or that was rebuilt. */
async function hasRun(store: Pick<Store, 'listRuns' | 'findRun' | 'tasksOf'>, event: FoundEvent): Promise<boolean> {
  if (event.kind !== 'comment' && event.kind !== 'labeled') return false;
  const { repository, issue, sender, at } = event;
  if (event.kind === 'comment') {
    const commentId = event.comment.id;
    const trigger = { kind: 'command', issue: issue.number, commentId, at, sender } as const;
    return (await store.findRun(runIdFor(naturalKey(repository.id, trigger)))) !== undefined;
  }
  const runs = await store.listRuns({ repositoryId: repository.id, issue: issue.number });
  return runs.some(
    ({ trigger }) =>
      trigger.kind === 'label' && trigger.label === event.label && Math.abs(trigger.at - at) <= SAME_LABELLING_MS,
  );
}
