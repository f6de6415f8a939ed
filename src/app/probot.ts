import type { Context, Probot } from 'probot';
import type { WebhookEvent } from '../domain/webhook.ts';
import type { AppDeps } from './deps.ts';
import { rememberDealt, requestNames, sourceOf, wasDealtWith, type Source } from './heard.ts';
import { BadPayload, eventName, EVENTS, readPayload } from './payload.ts';
import { onComment } from './triggers/command.ts';
import { onCommentEdited } from './triggers/edited.ts';
import { onLabel } from './triggers/label.ts';
import { onAccessEnded, onClosed, onPullRequestClosed } from './triggers/lifecycle.ts';
import { onPush } from './triggers/push.ts';

/**
 * The Probot app: what Maestro does when something happens on GitHub. The handlers are fed by the inbox, from deliveries saved
 * long before; what each did is left in `deps.notes`. A handler that throws is tried again later, so each is fine to repeat.
 */
export function maestroApp(deps: AppDeps): (app: Probot) => void {
  return (app) => {
    app.on([...EVENTS], async (context) => {
      deps.notes.add(context.id, await hear(deps, context, sourceOf(context.id)));
    });
  };
}

async function hear(deps: AppDeps, context: Pick<Context, 'name' | 'payload'>, source: Source): Promise<string> {
  const { payload } = context;
  const action = 'action' in payload && typeof payload.action === 'string' ? payload.action : undefined;
  const name = eventName(context.name, action);
  if (name === undefined) return 'ignored: not an event of ours';
  try {
    return await handleOnce(deps, readPayload(name, payload, deps.clock.now()), source);
  } catch (error) {
    // A payload does not get better by waiting.
    if (!(error instanceof BadPayload)) throw error;
    deps.log.error({ err: error, event: name }, 'payload could not be read');
    return `malformed: ${error.message}`;
  }
}

/** What was found need not be heard any more, and the other way round; one source does not stand in its own way. */
async function handleOnce(deps: AppDeps, event: WebhookEvent, source: Source): Promise<string> {
  const names = requestNames(event);
  if (source === 'again') return await handle(deps, event);
  if (await wasDealtWith(deps.store, source === 'heard' ? 'found' : 'heard', names)) {
    return source === 'heard' ? 'ignored: found and dealt with before' : 'ignored: its webhook came after all';
  }
  const note = await handle(deps, event);
  await rememberDealt(deps.store, source, names, deps.clock.now());
  return note;
}

async function handle(deps: AppDeps, event: WebhookEvent): Promise<string> {
  switch (event.kind) {
    case 'labeled':
    case 'unlabeled':
      return await onLabel(deps, event);
    case 'closed':
      return await onClosed(deps, event);
    case 'pull-request-closed':
      return await onPullRequestClosed(deps, event);
    case 'comment':
      return await onComment(deps, event);
    case 'comment-edited':
      return await onCommentEdited(deps, event);
    case 'push':
      return await onPush(deps, event);
    case 'access-ended':
      return await onAccessEnded(deps, event);
  }
}
