import { expect, it } from 'vitest';
import { asPayload, type FoundEvent } from '../../src/app/as-payload.ts';
import { eventName, readPayload } from '../../src/app/payload.ts';

const repository = { id: 42, owner: 'acme', name: 'demo', installationId: 5, defaultBranch: 'main' };
const sender = { id: 11, login: 'wanda', bot: false };
const issue = { number: 3, title: 'T', body: 'B', open: true, isPullRequest: false, labels: ['maestro', 'x'] };
const at = Date.parse('2026-03-01T12:00:00Z');
const sha = 'ab'.repeat(20);

it.each<FoundEvent>([
  { kind: 'labeled', repository, sender, issue, label: 'maestro', at },
  {
    kind: 'labeled',
    repository,
    sender: { ...sender, bot: true },
    issue: { ...issue, isPullRequest: true },
    label: 'maestro',
    at,
  },
  {
    kind: 'comment',
    repository,
    sender,
    issue: { ...issue, open: false },
    comment: { id: 7, body: '/maestro run' },
    at,
  },
  { kind: 'push', repository, sender, ref: 'refs/heads/main', before: sha, after: sha, messages: ['one', 'two'], at },
])('what was found is read like what is told: $kind', (found) => {
  const { event, action, payload } = asPayload(found);
  const name = eventName(event, action);

  expect(name).toBeDefined();
  expect(readPayload(name!, JSON.parse(JSON.stringify(payload)), 0)).toEqual(found);
});
