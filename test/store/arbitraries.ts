import * as fc from 'fast-check';
import type { TaskKey } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { PlaybookSource } from '../../src/domain/playbook.ts';
import type { Run, RunTask, Session } from '../../src/domain/run.ts';
import type { Trigger } from '../../src/domain/trigger.ts';
import type { Usage } from '../../src/domain/usage.ts';

/** Any text Postgres can hold: all of Unicode but U+0000, and what looks like the escapes that `storable.ts` replaces. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', '')),
  fc.constantFrom(
    '\\u0000',
    '\\\\u0000',
    '\\ud800',
    '"',
    "'; DROP TABLE runs; --",
    '👩‍👩‍👧',
    'e\u0301',
    '\u2028',
    '\uFEFF',
    '{a,"b"}',
    '',
  ),
);
const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const time = fc.oneof(
  fc.integer({ min: 0, max: 4e12 }),
  fc.double({ min: 0, max: 4e12, noNaN: true }).map((value) => value + 0),
);
const cost = fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0);
const sha = fc.stringMatching(/^[0-9a-f]{40}$/);
const actor = record({ id, login: text });

/** Records as our code makes them: with the prototype of all objects. */
function record<T extends object, K extends keyof T = keyof T>(
  fields: { [F in keyof T]: fc.Arbitrary<T[F]> },
  options: { readonly requiredKeys?: K[] } = {},
): fc.Arbitrary<Pick<T, K> & Partial<T>> {
  return fc.record(fields, { ...options, noNullPrototype: true }) as fc.Arbitrary<Pick<T, K> & Partial<T>>;
}

function optional<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined });
}

const usage: fc.Arbitrary<Usage> = record({
  inputTokens: fc.nat(),
  outputTokens: fc.nat(),
  cachedInputTokens: fc.nat(),
  costUsd: optional(cost),
});

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  record({ kind: fc.constant('committed' as const), commit: sha }),
  record({ kind: fc.constant('no-change' as const) }),
  record({
    kind: fc.constant('failed' as const),
    failure: record(
      {
        kind: fc.constantFrom('auth', 'quota', 'crash', 'infra'),
        message: text,
        detail: text,
        resetAt: time,
        keptRef: text,
      },
      { requiredKeys: ['kind', 'message'] },
    ),
  }),
  record({ kind: fc.constant('parked' as const), until: time, reason: text }),
);

const trigger: fc.Arbitrary<Trigger> = fc.oneof(
  record({ kind: fc.constant('label' as const), issue: id, label: text, at: time, sender: actor }),
  record({ kind: fc.constant('command' as const), issue: id, commentId: id, at: time, sender: actor }),
  record({ kind: fc.constant('push' as const), path: text, blob: sha, after: sha, at: time, sender: actor }),
);

const playbook: fc.Arbitrary<PlaybookSource> = fc.oneof(
  record({ kind: fc.constant('file' as const), path: text, text }),
  record({ kind: fc.constantFrom('checklist' as const, 'issue' as const), issue: id, title: text, text }),
);

/** A run; its `id` is to be set. */
export const anyRun: fc.Arbitrary<Omit<Run, 'id'>> = record({
  naturalKey: text,
  repository: record({ id, owner: text, name: text, installationId: id, defaultBranch: text }),
  trigger,
  requester: actor,
  playbook,
  settings: record(
    {
      provider: text,
      setup: fc.array(text),
      budget: record({ run: record({ usd: cost }) }),
      loop: fc.boolean(),
      effort: fc.constantFrom('low', 'high'),
    },
    { requiredKeys: [] },
  ),
  title: text,
  provider: text,
  model: optional(text),
  instructions: text,
  base: record({ ref: text, sha }),
  branch: text,
  createdAt: time,
  state: fc.constantFrom('queued', 'running', 'parked', 'succeeded', 'failed', 'stopped'),
  reason: optional(text),
  startedAt: optional(time),
  endedAt: optional(time),
  parkedUntil: optional(time),
  tip: sha,
  pullRequest: optional(record({ number: id, url: text, draft: fc.boolean() })),
  statusCommentId: optional(id),
  stop: optional(record({ by: text, reason: text, at: time })),
  setbacks: optional(record({ tries: fc.nat(), waits: fc.nat(), lives: fc.nat() })),
});

/** Tasks of a run, in order; their `runId` is to be set. */
export const anyTasks: fc.Arbitrary<readonly Omit<RunTask, 'runId'>[]> = fc
  .array(
    record({
      title: text,
      text,
      attempts: fc.nat(),
      outcome: optional(outcome),
      usage,
      startedAt: optional(time),
      endedAt: optional(time),
    }),
    { maxLength: 5 },
  )
  .map((tasks) => tasks.map((task, index) => ({ ...task, key: `k\\"${index}` as TaskKey, position: index + 1 })));

/** A session; its `id` and `runId` are to be set. */
export const anySession: fc.Arbitrary<Omit<Session, 'id' | 'runId'>> = record({
  taskKey: word.map((key) => key as TaskKey),
  attempt: fc.integer({ min: 1, max: 1000 }),
  provider: text,
  runner: text,
  conversation: optional(text),
  image: optional(text),
  log: text,
  startedAt: time,
  endedAt: optional(time),
  outcome: optional(outcome),
  usage,
});
