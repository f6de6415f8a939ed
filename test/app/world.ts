import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { Probot } from 'probot';
import type { Clock } from '../../src/domain/clock.ts';
import type { RunId } from '../../src/domain/ids.ts';
import type { Run } from '../../src/domain/run.ts';
import type { AppRules } from '../../src/app/deps.ts';
import { createInbox, type Inbox } from '../../src/app/inbox.ts';
import { createDeliveryNotes } from '../../src/app/notes.ts';
import { maestroApp } from '../../src/app/probot.ts';
import type { IssueState } from '../../src/forge/forge.ts';
import type { RunQueue } from '../../src/queue/queue.ts';
import type { KeptSession } from '../../src/sessions/shelf.ts';
import type { Store } from '../../src/store/store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMemoryForge, type MemoryForge } from './memory-forge.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';
import { NOON } from './payloads.ts';

export const RULES: AppRules = {
  providers: ['claude', 'codex', 'scripted'],
  defaultProviders: ['claude'],
  allowedBots: [],
  branchPrefix: 'maestro/',
  playbookDirectory: '.maestro/playbooks',
  repositoryBytes: 1024 ** 3,
  budget: {},
  keepMs: 30 * 24 * 3_600_000,
};

/** The app as it is composed in production, over a store, a queue and a GitHub in memory, with a clock that stands still. */
export interface World extends MemoryForge {
  readonly store: MemoryStore;
  readonly inbox: Inbox;
  /** Conversations on the shelf. */
  readonly kept: KeptSession[];
  readonly enqueued: RunId[];
  /** Errors the next calls of the queue fail with. */
  readonly queueFailures: Error[];
  readonly clock: Clock & { advance(ms: number): void };
  /** Delivers an event and gives what was noted on it once it was handled. */
  deliver(event: string, payload: Record<string, unknown>, guid?: string): Promise<string>;
  runs(): Promise<readonly Run[]>;
  /** Puts an issue where a fresh look finds it. */
  hasIssue(issue: Partial<IssueState> & { readonly number: number }): void;
}

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

export async function createWorld(rules: Partial<AppRules> = {}): Promise<World> {
  const store = createMemoryStore();
  const memory = createMemoryForge();
  memory.roles.set('wanda', 'write').set('rita', 'read');
  memory.branches.set('main', 'aa'.repeat(20));
  memory.commits.set('aa'.repeat(20), {});
  const enqueued: RunId[] = [];
  const queueFailures: Error[] = [];
  const enqueue: RunQueue['enqueue'] = async (id) => {
    const failure = queueFailures.shift();
    if (failure !== undefined) throw failure;
    enqueued.push(id);
  };
  const queue = { enqueue } as unknown as RunQueue;
  const log = createLog({ level: 'silent' });
  const kept: KeptSession[] = [];
  let now = NOON + 5_000;
  const clock = { now: () => now, monotonic: () => now, advance: (ms: number) => void (now += ms) };
  const notes = createDeliveryNotes();
  const probot = new Probot({ appId: 1, privateKey, secret: 'unused', log });
  const deps = {
    store: store as unknown as Store,
    queue,
    forge: memory.forge,
    shelf: { list: async () => kept },
    clock,
    log,
    notes,
    rules: { ...RULES, ...rules },
  };
  await probot.load(maestroApp(deps));
  const inbox = createInbox({ store, probot, notes, clock, log });

  const hasIssue: World['hasIssue'] = (issue) =>
    void memory.issues.set(issue.number, {
      title: 'Tune the violins',
      body: '',
      open: true,
      author: { id: 12, login: 'rita' },
      isPullRequest: false,
      labels: ['maestro'],
      ...issue,
    });
  hasIssue({ number: 1 });

  return {
    ...memory,
    store,
    kept,
    inbox,
    enqueued,
    queueFailures,
    clock,
    hasIssue,
    runs: () => store.listRuns(),
    deliver: async (event, payload, guid = randomUUID()) => {
      const action = typeof payload['action'] === 'string' ? payload['action'] : undefined;
      const delivery = { guid, event, action, body: JSON.stringify(payload), receivedAt: now };
      await store.saveDelivery(delivery);
      inbox.wake();
      await inbox.idle();
      return store.delivery(guid)?.note ?? '';
    },
  };
}
