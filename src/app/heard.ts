import { labelRequest } from '../domain/trigger.ts';
import type { WebhookEvent } from '../domain/webhook.ts';
import type { Store } from '../store/store.ts';

/**
 * Who told us of a request: GitHub by a webhook, or our own look through the repository. Each is remembered when it was dealt with,
 * so that what was found is not done again when its webhook comes after all, nor the other way round. What comes `again` was put off
 * when it came first.
 */
export type Source = 'heard' | 'found' | 'again';

/** Deliveries that our own scan made begin with this; GitHub's GUIDs hold no colon, and the front door takes none. */
const FOUND_PREFIX = 'found:';
const AGAIN_PREFIX = 'again:';

/**
 * A label's time is the last change in the webhook and the event's own in the list of events: the same second, or the next.
 * Seconds.
 */
const LABEL_TOLERANCE = 2;

/** Names of the marks that remember requests begin with one of these; they are as good as the deliveries they are about. */
export const DEALT_PREFIXES = ['heard/', 'found/', 'changed/'];

/** GUID of the delivery that stands for a found event. */
export function foundGuid(name: string): string {
  return `${FOUND_PREFIX}${name}`;
}

/** GUID of the delivery that tells of a request a second time, by which it was put off to. */
export function againGuid(name: string): string {
  return `${AGAIN_PREFIX}${name}`;
}

/** Where a delivery comes from. */
export function sourceOf(guid: string): Source {
  if (guid.startsWith(AGAIN_PREFIX)) return 'again';
  return guid.startsWith(FOUND_PREFIX) ? 'found' : 'heard';
}

/** Names of what an event asks for, the first being its own; none for an event that nothing but a webhook can tell. */
export function requestNames(event: WebhookEvent): readonly string[] {
  switch (event.kind) {
    case 'labeled': {
      if (labelRequest(event.label) === undefined) return [];
      return around(event.at).map((at) => `label/${event.repository.id}/${event.issue.number}/${event.label}/${at}`);
    }
    case 'unlabeled':
      if (labelRequest(event.label) === undefined) return [];
      return around(event.at).map((at) => `unlabel/${event.repository.id}/${event.issue.number}/${event.label}/${at}`);
    case 'closed':
      return around(event.at).map((at) => `closed/${event.repository.id}/${event.issue.number}/${at}`);
    case 'pull-request-closed':
      return around(event.at).map((at) => `closed/${event.repository.id}/${event.number}/${at}`);
    case 'comment':
      // Any comment may be the answer to a question.
      return [`command/${event.comment.id}`];
    case 'comment-edited':
    case 'access-ended':
      return [];
    case 'push':
      return event.ref === `refs/heads/${event.repository.defaultBranch}`
        ? [`push/${event.repository.id}/${event.before}/${event.after}`]
        : [];
  }
}

/** The second of a time, and those near it. */
function around(at: number): readonly number[] {
  const second = Math.floor(at / 1000);
  const near = Array.from({ length: LABEL_TOLERANCE }, (_, index) => [second - index - 1, second + index + 1]).flat();
  return [second, ...near];
}

/** Whether one of these requests was dealt with as told by `source`. */
export async function wasDealtWith(
  store: Pick<Store, 'findMarks'>,
  source: Source,
  names: readonly string[],
): Promise<boolean> {
  if (names.length === 0) return false;
  return (await store.findMarks(names.map((name) => `${source}/${name}`))).size > 0;
}

/** Remembers that a request was dealt with. */
export async function rememberDealt(
  store: Pick<Store, 'setMark'>,
  source: Source,
  names: readonly string[],
  now: number,
): Promise<void> {
  const [name] = names;
  if (name !== undefined) await store.setMark(`${source}/${name}`, { value: true, at: now });
}
