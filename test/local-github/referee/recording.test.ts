import { expect, it } from 'vitest';
import { createJournal, type Journal } from '../../../local-github/journal.ts';
import { attachReferee, type Exchange, type SentWebhook } from '../../../local-github/referee/recording.ts';
import { createReferee } from '../../../local-github/referee/referee.ts';
import { restExample } from './examples.ts';

const referee = createReferee();

function aRecording(): { readonly exchanges: Journal<Exchange>; readonly deliveries: Journal<SentWebhook> } {
  return { exchanges: createJournal(10), deliveries: createJournal(10) };
}

const opened: Exchange = {
  method: 'POST',
  path: '/api/v3/repos/octo/app/issues',
  requestBody: { title: 'x' },
  status: 201,
  responseBody: restExample('issue'),
  actor: 'installation',
};

it('is content with good traffic and speaks up about requests, answers and webhooks', () => {
  const recorder = aRecording();
  const attached = attachReferee(recorder, referee);

  recorder.exchanges.add(opened);
  expect(attached.violations()).toEqual([]);

  recorder.exchanges.add({ ...opened, requestBody: { titel: 'x' } }, { ...opened, responseBody: {} });
  recorder.deliveries.add({ event: 'nothing', payload: {} });
  const where = attached.violations().map((violation) => violation.where);
  expect(where.some((each) => each.startsWith('request POST'))).toBe(true);
  expect(where.some((each) => each.startsWith('response 201'))).toBe(true);
  expect(where).toContain('webhook nothing');
});

it('judges each thing once', () => {
  const recorder = aRecording();
  const attached = attachReferee(recorder, referee);
  recorder.exchanges.add({ ...opened, requestBody: {} });

  expect(() => attached.assertNone()).toThrow(/issues\/create.*title/s);
  expect(() => attached.assertNone()).not.toThrow();
});

it('leaves alone what is not REST, an answer that was cut off, and what is wrong on purpose', () => {
  const recorder = aRecording();
  const attached = attachReferee(recorder, referee, { expected: ({ status }) => status === 422 });
  recorder.exchanges.add(
    { method: 'POST', path: '/api/graphql', status: 200, requestBody: { query: '{}' }, responseBody: {} },
    { method: 'GET', path: '/octo/app.git/info/refs', status: 200 },
    { method: 'POST', path: '/_control/reset', status: 200 },
    { ...opened, status: 0, responseBody: undefined },
    { ...opened, status: 422, requestBody: {}, responseBody: { message: 'Validation Failed' } },
  );

  expect(attached.violations()).toEqual([]);
});
