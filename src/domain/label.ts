import type { Refusal } from './refusal.ts';
import { labelRequest, type Trigger } from './trigger.ts';
import type { IssueLabelEvent } from './webhook.ts';

/** What a label event asks us to do. Whether its sender may ask is decided elsewhere. */
export type LabelDecision =
  | { readonly kind: 'ignore'; readonly reason: string }
  | { readonly kind: 'refuse'; readonly trigger: Trigger; readonly refusal: Refusal }
  | { readonly kind: 'start'; readonly trigger: Trigger; readonly provider: string | undefined }
  | { readonly kind: 'stop'; readonly label: string; readonly isLastLabel: boolean };

/**
 * Decides on a label put on or taken off an issue. The provider is the one any of the issue's labels names; two that disagree
 * are not guessed between.
 */
export function decideLabel(event: IssueLabelEvent, providers: readonly string[]): LabelDecision {
  if (labelRequest(event.label) === undefined) return { kind: 'ignore', reason: 'not a label of ours' };
  const { issue, label, sender, at } = event;
  if (event.kind === 'unlabeled') {
    return { kind: 'stop', label, isLastLabel: !hasTriggerLabel(issue.labels.filter((other) => other !== label)) };
  }
  const trigger: Trigger = {
    kind: 'label',
    issue: issue.number,
    label,
    at,
    sender: { id: sender.id, login: sender.login },
  };
  const named = namedProviders([...issue.labels, label]);
  const refusal = whyNot(event, named, providers);
  if (refusal !== undefined) return { kind: 'refuse', trigger, refusal };
  return { kind: 'start', trigger, provider: named[0] };
}

/** Whether any of an issue's labels asks for a run. */
export function hasTriggerLabel(labels: readonly string[]): boolean {
  return labels.some((label) => labelRequest(label) !== undefined);
}

function namedProviders(labels: readonly string[]): readonly string[] {
  const named = labels.map((label) => labelRequest(label)?.provider).filter((provider) => provider !== undefined);
  return [...new Set(named)].toSorted();
}

function whyNot(event: IssueLabelEvent, named: readonly string[], providers: readonly string[]): Refusal | undefined {
  if (event.issue.isPullRequest) {
    return {
      reason: 'bad-command',
      message: 'A label starts a run on an issue, not on a pull request: put it on the issue that says what to do.',
    };
  }
  if (!event.issue.open) {
    return { reason: 'bad-command', message: 'This issue is closed: reopen it, then put the label on again.' };
  }
  if (named.length > 1) {
    return {
      reason: 'conflicting-labels',
      message: `The labels ${listed(named.map((provider) => `maestro:${provider}`))} name different agents: leave one, take it off and put it on again.`,
    };
  }
  return unknownProvider(named[0], providers);
}

/** The refusal of a provider nobody has set up; undefined when there is nothing to refuse. */
export function unknownProvider(provider: string | undefined, providers: readonly string[]): Refusal | undefined {
  if (provider === undefined || providers.includes(provider)) return undefined;
  return {
    reason: 'unknown-provider',
    message: `There is no agent called \`${provider.replaceAll('`', "'")}\` here: it can be ${listed(providers)}.`,
  };
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name.replaceAll('`', "'")}\``).join(', ');
}
