import { ACTIVE_STATES } from '../domain/active-run.ts';
import type { Clock } from '../domain/clock.ts';
import { digest } from '../domain/ids.ts';
import type { PushEvent } from '../domain/webhook.ts';
import type { Store } from '../store/store.ts';
import { around } from '../telemetry/failpoint.ts';
import { laneOf } from './delivery-lane.ts';
import { asPayload } from './as-payload.ts';
import { againGuid } from './heard.ts';

/** Names of the marks that remember pushes whose playbook waits for a run that is at it. */
const PUT_OFF = 'put-off/';

interface PutOff {
  readonly path: string;
  readonly push: PushEvent;
}

/**
 * Remembers a push whose playbook is being carried out as it was before: its run comes after that one (fault F33). Of several pushes
 * the last counts, as it would if they had come later.
 */
export async function putOff(
  { store, clock }: { readonly store: Pick<Store, 'setMark'>; readonly clock: Clock },
  push: PushEvent,
  path: string,
): Promise<void> {
  const value: PutOff = { path, push };
  await store.setMark(nameOf(push.repository.id, path), { value, at: clock.now() });
}

/**
 * Puts the pushes that waited for a run into the inbox once more, as soon as no run is at their playbook any more: then everything is
 * asked anew, the sender's role too. Says how many.
 */
export async function bringBack(deps: {
  readonly store: Pick<Store, 'marksBelow' | 'pruneMarks' | 'listRuns' | 'saveDelivery'>;
  readonly wake: () => void;
  readonly clock: Clock;
}): Promise<number> {
  const { store, clock } = deps;
  let brought = 0;
  for (const [name, { value, at }] of await store.marksBelow(PUT_OFF)) {
    const { path, push } = value as PutOff;
    const going = await store.listRuns({ repositoryId: push.repository.id, states: ACTIVE_STATES });
    if (going.some(({ playbook }) => playbook.kind === 'file' && playbook.path === path)) continue;
    const { event, action, payload } = asPayload(push);
    // Put off once more it gets a name of its own; a crash before the mark is gone gives the same one again.
    const guid = againGuid(`${name}/${at}`);
    const body = JSON.stringify(payload);
    const delivery = { guid, event, action, body, receivedAt: clock.now(), lane: laneOf(payload) };
    await around('found', { perform: async () => await store.saveDelivery(delivery) });
    await store.pruneMarks(name, at + 1);
    brought += 1;
  }
  if (brought > 0) deps.wake();
  return brought;
}

function nameOf(repositoryId: number, path: string): string {
  return `${PUT_OFF}${repositoryId}/${digest(path, 26)}`;
}
