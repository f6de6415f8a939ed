import type { Actor } from './repository.ts';

/** Why a run starts. `at` is epoch milliseconds as GitHub states it in the event. */
export type Trigger =
  | {
      readonly kind: 'label';
      readonly issue: number;
      readonly label: string;
      readonly at: number;
      readonly sender: Actor;
    }
  | {
      readonly kind: 'command';
      readonly issue: number;
      readonly commentId: number;
      readonly at: number;
      readonly sender: Actor;
    }
  | {
      readonly kind: 'push';
      readonly path: string;
      readonly blob: string;
      readonly after: string;
      readonly at: number;
      readonly sender: Actor;
    };

/**
 * The natural key of what a trigger asks for: the same request, however often it is delivered, has the same key (design §5).
 * `part` tells apart the runs of one request that names several playbooks.
 */
export function naturalKey(repositoryId: number, trigger: Trigger, part = ''): string {
  switch (trigger.kind) {
    case 'label':
      return ['label', repositoryId, trigger.issue, trigger.label, trigger.at, part].join('|');
    case 'command':
      return ['command', repositoryId, trigger.commentId, part].join('|');
    case 'push':
      return ['push', repositoryId, trigger.path, trigger.blob, trigger.after].join('|');
  }
}

/** The label that starts a run with the default provider; `maestro:<provider>` names one. */
const TRIGGER_LABEL = 'maestro';

/**
 * What a label asks for: a run, by the provider it names if it names one. Undefined for every other label, the App's own state
 * labels (`maestro-running`, …) among them. `label` is in lower case.
 */
export function labelRequest(label: string): { readonly provider: string | undefined } | undefined {
  if (label === TRIGGER_LABEL) return { provider: undefined };
  if (!label.startsWith(`${TRIGGER_LABEL}:`)) return undefined;
  return { provider: label.slice(TRIGGER_LABEL.length + 1).trim() };
}

/** The issue or pull request a trigger was made in; undefined for a push. */
export function triggerThread(trigger: Trigger): number | undefined {
  return trigger.kind === 'push' ? undefined : trigger.issue;
}
