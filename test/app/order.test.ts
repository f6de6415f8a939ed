import { describe, expect, it } from 'vitest';
import { closedPayload, commentPayload, labelPayload, NOON } from './payloads.ts';
import { createWorld } from './world.ts';

/** Fault F06: what comes of events must not hang on the order they arrive in. */
function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
  );
}

type Event = readonly [event: string, payload: Record<string, unknown>];
const at = (seconds: number): { readonly at: number } => ({ at: NOON + seconds * 1000 });
const labeled = (seconds: number): Event => ['issues', labelPayload('labeled', 'maestro', at(seconds))];
const unlabeled = (seconds: number): Event => ['issues', labelPayload('unlabeled', 'maestro', at(seconds))];

/** Delivers events in an order and says whether the issue ends with a run that goes on. */
async function outcome(
  events: readonly Event[],
  issue: { readonly open: boolean; readonly labels: readonly string[] },
): Promise<{ readonly going: number; readonly active: number }> {
  const world = await createWorld();
  world.hasIssue({ number: 1, ...issue });
  for (const [event, payload] of events) await world.deliver(event, payload);
  const active = (await world.runs()).filter((run) => run.state === 'queued');
  return { going: active.filter((run) => run.stop === undefined).length, active: active.length };
}

describe('all 120 orders of five events', () => {
  it('label on and off and on again: one run goes on', async () => {
    const events = [labeled(1), unlabeled(2), labeled(3), unlabeled(4), labeled(5)];
    for (const order of permutations(events)) {
      expect(await outcome(order, { open: true, labels: ['maestro'] })).toEqual({ going: 1, active: 1 });
    }
  });

  it('label on and off, ending off: nothing goes on', async () => {
    const edited: Event = ['issues', { ...labelPayload('labeled', 'maestro', at(5)), action: 'edited' }];
    const events = [labeled(1), unlabeled(2), labeled(3), unlabeled(4), edited];
    for (const order of permutations(events)) {
      expect((await outcome(order, { open: true, labels: [] })).going).toBe(0);
    }
  });

  it('labelled, then closed: nothing goes on', async () => {
    const opened: Event = ['issues', { ...labelPayload('labeled', 'maestro', at(0)), action: 'opened' }];
    const talk: Event = ['issue_comment', commentPayload('Shall we?', at(2))];
    const closed: Event = ['issues', closedPayload({ ...at(4), labels: ['maestro'] })];
    const events = [opened, labeled(1), talk, closed, unlabeled(5)];
    for (const order of permutations(events)) {
      expect((await outcome(order, { open: false, labels: [] })).going).toBe(0);
    }
  });
});

describe('a hundred random toggles (fault F36)', () => {
  it('never leave more than one run active', async () => {
    const world = await createWorld();
    let seed = 7;
    const random = (): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
    for (let step = 0; step < 100; step += 1) {
      const on = random() < 0.5;
      world.hasIssue({ number: 1, labels: on ? ['maestro'] : [] });
      const [event, payload] = on ? labeled(step) : unlabeled(step);
      await world.deliver(event, payload);
      if (random() < 0.3) {
        // A worker gets to runs that were asked to stop.
        for (const run of await world.runs()) {
          if (run.stop !== undefined) world.store.change(run.id, { state: 'stopped' });
        }
      }
      const active = (await world.runs()).filter((run) => run.state === 'queued');
      expect(active.length).toBeLessThanOrEqual(1);
    }
    expect((await world.runs()).length).toBeGreaterThan(3);
  });
});
