import { describe, expect, it } from 'vitest';
import {
  closedPayload,
  commentPayload,
  issuePayload,
  labelPayload,
  pullClosedPayload,
  pushPayload,
  sha,
} from './payloads.ts';
import { createWorld } from './world.ts';

const PAYLOADS: readonly (readonly [event: string, payload: Record<string, unknown>])[] = [
  ['issues', labelPayload('labeled', 'maestro')],
  ['issues', labelPayload('unlabeled', 'maestro')],
  ['issues', closedPayload()],
  ['pull_request', { ...labelPayload('labeled', 'maestro'), pull_request: issuePayload(), issue: undefined }],
  ['pull_request', pullClosedPayload()],
  ['issue_comment', commentPayload('/maestro run')],
  ['push', pushPayload({ before: sha('before'), after: sha('after') })],
  ['installation', { action: 'deleted', installation: { id: 5 }, sender: { id: 1, login: 'o', type: 'User' } }],
  [
    'repository',
    { action: 'deleted', repository: { id: 42 }, installation: { id: 5 }, sender: { id: 1, login: 'o', type: 'User' } },
  ],
];

const STRANGE: readonly unknown[] = [undefined, null, 0, -1, 1.5, '', 'x', [], {}, true, '\0\u{d800}'];

type Path = readonly (string | number)[];

/** Every place in a JSON value. */
function placesIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))];
}

function withChange(value: unknown, [key, ...rest]: Path, replacement: unknown): unknown {
  if (key === undefined) return replacement;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[key] = withChange(copy[key], rest, replacement);
  return copy;
}

describe('a payload that is not what GitHub documents', () => {
  it.each(PAYLOADS)(
    '%s %#: each field missing or strange is noted or goes through, and never throws',
    async (event, payload) => {
      const world = await createWorld();
      world.commits.set(sha('before'), {}).set(sha('after'), {});
      let malformed = 0;
      for (const path of placesIn(payload).filter((place) => place.length > 0)) {
        for (const replacement of STRANGE) {
          const note = await world.deliver(event, withChange(payload, path, replacement) as Record<string, unknown>);
          expect(note).toMatch(/^(?:ignored|malformed|refused|run|stop requested)/);
          malformed += note.startsWith('malformed') ? 1 : 0;
        }
      }
      expect(malformed).toBeGreaterThan(5);
      expect(world.store.deliveries().every((delivery) => delivery.settled)).toBe(true);
    },
  );

  it('says which field is wrong', async () => {
    const world = await createWorld();
    const payload = labelPayload('labeled', 'maestro');
    const note = await world.deliver('issues', { ...payload, installation: undefined });
    const other = await world.deliver('issues', { ...payload, label: {} });
    expect(other).toMatch(/^malformed: the issues.labeled payload .*label.name/s);
    expect(note).toMatch(/^malformed: the payload names no installation/);
  });

  it('has its NULs and lone surrogates replaced, which no database takes', async () => {
    const world = await createWorld();
    await world.deliver('issues', labelPayload('labeled', 'maestro', { title: 'a\0b\u{d800}c' }));
    expect((await world.runs())[0]?.title).toBe('a\u{fffd}b\u{fffd}c');
  });
});
