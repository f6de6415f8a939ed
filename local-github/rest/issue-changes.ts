import { timestamp } from '../clock.ts';
import { emitThread } from '../events.ts';
import type { Author, Hub } from '../hub.ts';
import type { Payload } from '../presenters/account.ts';
import { presentLabel } from '../presenters/issue.ts';
import { takeId, type Issue } from '../state.ts';

/** Changes title and body where given and different, and tells with what they were before. */
export async function editText(
  hub: Hub,
  issue: Issue,
  text: {
    readonly author: Author;
    readonly title?: string | null | undefined;
    readonly body?: string | null | undefined;
    readonly extra?: Payload;
  },
): Promise<void> {
  const edited = issue;
  const changes: Record<string, unknown> = { ...text.extra };
  if (typeof text.title === 'string' && text.title !== issue.title) {
    changes['title'] = { from: issue.title };
    edited.title = text.title;
  }
  if (text.body !== undefined && text.body !== issue.body) {
    changes['body'] = { from: issue.body ?? '' };
    edited.body = text.body;
  }
  if (Object.keys(changes).length === 0) return;
  edited.updatedAt = timestamp(hub.clock.now());
  await emitThread(hub, issue, { action: 'edited', author: text.author, extra: { changes } });
}

/** Opens or closes a thread, and tells if that changes it. */
export async function setState(
  hub: Hub,
  issue: Issue,
  wanted: { readonly author: Author; readonly state: Issue['state']; readonly reason: 'completed' | 'not_planned' },
): Promise<void> {
  if (issue.state === wanted.state) return;
  const now = timestamp(hub.clock.now());
  const closes = wanted.state === 'closed';
  Object.assign(issue, {
    state: wanted.state,
    stateReason: issue.pull !== null ? null : closes ? wanted.reason : 'reopened',
    closedAt: closes ? now : null,
    closedById: closes ? wanted.author.account.id : null,
    updatedAt: now,
  } satisfies Partial<Issue>);
  await emitThread(hub, issue, { action: closes ? 'closed' : 'reopened', author: wanted.author });
}

/** Gives a thread exactly these labels, and tells of each that came or went. */
export async function replaceLabels(
  hub: Hub,
  issue: Issue,
  labelIds: readonly number[],
  author: Author,
): Promise<void> {
  const before = issue.labelIds;
  const labeled = issue;
  labeled.labelIds = [...new Set(labelIds)];
  const gone = before.filter((id) => !labelIds.includes(id));
  const come = labeled.labelIds.filter((id) => !before.includes(id));
  if (gone.length + come.length > 0) labeled.updatedAt = timestamp(hub.clock.now());
  for (const labelId of gone) await emitLabeled(hub, issue, { labelId, action: 'unlabeled', author });
  for (const labelId of come) await emitLabeled(hub, issue, { labelId, action: 'labeled', author });
}

/** Tells that a thread got or lost a label. */
export async function emitLabeled(
  hub: Hub,
  issue: Issue,
  change: { readonly labelId: number; readonly action: 'labeled' | 'unlabeled'; readonly author: Author },
): Promise<void> {
  const label = hub.world.labels[change.labelId];
  if (label === undefined) return;
  hub.world.issueEvents.push({
    id: takeId(hub.world),
    issueId: issue.id,
    event: change.action,
    actorId: change.author.account.id,
    viaApp: change.author.kind === 'installation',
    createdAt: timestamp(hub.clock.now()),
    label: { name: label.name, color: label.color },
  });
  const extra = { label: presentLabel(hub, label) };
  await emitThread(hub, issue, { action: change.action, author: change.author, extra });
}
