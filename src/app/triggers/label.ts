import { ACTIVE_STATES } from '../../domain/active-run.ts';
import { decideLabel, hasTriggerLabel } from '../../domain/label.ts';
import type { RunRequest } from '../../domain/plan-run.ts';
import { naturalKey, type Trigger } from '../../domain/trigger.ts';
import type { IssueLabelEvent } from '../../domain/webhook.ts';
import { notPermitted, react, refuse, type Asked } from '../answer.ts';
import type { AppDeps } from '../deps.ts';
import { permissionOf } from '../permission.ts';
import { stopRuns } from '../stop.ts';
import { partsOf, startParts } from './thread.ts';

/** Handles a label put on or taken off an issue. Returns the note for the delivery. */
export async function onLabel(deps: AppDeps, event: IssueLabelEvent): Promise<string> {
  const decision = decideLabel(event, deps.rules.providers);
  if (decision.kind === 'ignore') return `ignored: ${decision.reason}`;
  const permission = await permissionOf(deps, event.repository, event.sender);
  if (permission.kind === 'ignored') return `ignored: ${permission.reason}`;
  if (decision.kind === 'stop') {
    return permission.kind === 'granted' ? await unlabeled(deps, event, decision) : 'ignored: sender may not stop runs';
  }
  const asked = askedBy(event, decision.trigger);
  if (permission.kind === 'denied') return await refuse(deps, asked, notPermitted(permission.role));
  if (decision.kind === 'refuse') return await refuse(deps, asked, decision.refusal);
  return await labeled(deps, event, asked, decision);
}

async function labeled(
  deps: AppDeps,
  event: IssueLabelEvent,
  asked: Asked,
  decision: { readonly trigger: Trigger; readonly provider: string | undefined },
): Promise<string> {
  await react(deps, asked, 'eyes');
  // Events may come late and in any order (fault F06): what the issue looks like by now decides.
  const current = await deps.forge.issue(event.repository, event.issue.number);
  if (current === undefined) return 'ignored: the issue is gone';
  if (!current.open) return 'ignored: the issue was closed meanwhile';
  if (!hasTriggerLabel(current.labels)) return 'ignored: the label was taken off meanwhile';
  const request: RunRequest = {
    repository: event.repository,
    trigger: decision.trigger,
    provider: decision.provider,
    model: undefined,
    instructions: '',
  };
  return await startParts(deps, request, partsOf(deps, request, event.issue), asked);
}

async function unlabeled(
  deps: AppDeps,
  event: IssueLabelEvent,
  decision: { readonly label: string; readonly isLastLabel: boolean },
): Promise<string> {
  const { repository, issue, sender, at } = event;
  const current = await deps.forge.issue(repository, issue.number);
  if (current?.labels.includes(decision.label)) return 'ignored: the label was put on again meanwhile';
  const active = await deps.store.listRuns({ repositoryId: repository.id, issue: issue.number, states: ACTIVE_STATES });
  // A run is stopped by taking off its own label, or the last one. A run asked for after the label went is none of its business.
  const runs = active.filter(
    ({ trigger }) =>
      trigger.at <= at && (decision.isLastLabel || (trigger.kind === 'label' && trigger.label === decision.label)),
  );
  if (runs.length === 0) return 'ignored: no run of this label is going';
  return await stopRuns(deps, runs, {
    by: sender.login,
    reason: `label removed by @${sender.login}`,
    at: deps.clock.now(),
  });
}

function askedBy(event: IssueLabelEvent, trigger: Trigger): Asked {
  return {
    repository: event.repository,
    thread: event.issue.number,
    sender: event.sender,
    target: { kind: 'issue', number: event.issue.number },
    key: naturalKey(event.repository.id, trigger),
  };
}
