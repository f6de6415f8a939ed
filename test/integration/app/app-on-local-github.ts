import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Probot } from 'probot';
import { startLocalGithub, type LocalGithub } from '../../../local-github/server.ts';
import type { AppRules } from '../../../src/app/deps.ts';
import { createFrontDoor } from '../../../src/app/http.ts';
import { createInbox } from '../../../src/app/inbox.ts';
import { createDeliveryNotes } from '../../../src/app/notes.ts';
import { maestroApp } from '../../../src/app/probot.ts';
import { signatureOf } from '../../app/signature-of.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import type { RunId } from '../../../src/domain/ids.ts';
import type { Run } from '../../../src/domain/run.ts';
import { createGithubForge } from '../../../src/forge/github/github.ts';
import type { RunQueue } from '../../../src/queue/queue.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { createLog } from '../../../src/telemetry/log.ts';

export const PLAYBOOKS = '.maestro/playbooks';

const RULES: AppRules = {
  providers: ['scripted', 'codex'],
  defaultProviders: ['scripted'],
  allowedBots: [],
  branchPrefix: 'maestro/',
  playbookDirectory: PLAYBOOKS,
  budget: {},
  keepMs: 30 * 24 * 3_600_000,
  repositoryBytes: 1024 ** 3,
};

/** The whole app over a local GitHub: its webhooks, its forge, the embedded store. Only the workers are missing. */
export interface App extends AsyncDisposable {
  readonly github: LocalGithub;
  readonly store: Store;
  /** Where the front door listens: `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** A repository of `acme` of its own for a test, in which each role has somebody. */
  newRepository(seed?: { readonly files?: Readonly<Record<string, string>>; readonly empty?: boolean }): Promise<Place>;
  /** Waits until GitHub has told everything and the app has dealt with it. */
  settled(): Promise<void>;
  /** Posts to the front door as GitHub would, but for `change`. */
  post(body: string | Buffer, change?: { readonly event?: string; readonly signature?: string }): Promise<Response>;
  /** The deliveries of the store still pending; empty when all are settled. */
  pending(): Promise<readonly string[]>;
  /** Throws when there are any. */
  assertSettled(): Promise<void>;
}

/** A repository, with what people do there. Requests are below `/repos/OWNER/NAME`. */
export interface Place {
  readonly name: string;
  runs(): Promise<readonly Run[]>;
  enqueued(): Promise<readonly RunId[]>;
  /** Does something on GitHub as a person, then waits until it is dealt with. Gives GitHub's answer. */
  as<Data>(login: string, request: string, body?: unknown): Promise<Data>;
  /** Opens an issue. Gives its number. */
  issue(title: string, body?: string): Promise<number>;
  /** Puts labels on an issue as a person. */
  label(login: string, number: number, ...labels: readonly string[]): Promise<void>;
  /** Comments as a person. Gives the comment's id. */
  comment(login: string, number: number, body: string): Promise<number>;
  /** What our bot wrote in a thread, oldest first. */
  answers(thread: number): Promise<readonly string[]>;
  /** Reactions to an issue (`issues/1`) or comment (`issues/comments/7`). */
  reactions(target: string): Promise<readonly string[]>;
  /** Writes a file on a branch as Will. Gives the new commit's sha. */
  write(path: string, text: string | Buffer, branch?: string): Promise<string>;
  /** The check runs of a commit. */
  checks(sha: string): Promise<readonly Check[]>;
  branch(name: string): Promise<void>;
}

export interface Check {
  readonly conclusion: string;
  readonly output: { readonly title: string; readonly summary: string; readonly annotations_count: number };
}

const ROLES = { ada: 'admin', mira: 'maintain', will: 'write', tess: 'triage', rory: 'read' } as const;

/** Starts the app and its GitHub. */
export async function startApp(): Promise<App> {
  const github = await startLocalGithub({ seed: { repositories: [{ name: 'first' }] } });
  const directory = await mkdtemp(join(tmpdir(), 'maestro-app-'));
  const log = createLog({ level: process.env['MAESTRO_TEST_LOG'] ?? 'silent' });
  const { store } = await openStore({ directory, log });
  const { id: appId, privateKey, webhookSecret } = github.app;
  const forge = createGithubForge({
    app: { appId, privateKey },
    baseUrl: github.apiUrl,
    markerSecret: 'marker',
    log,
    clock: systemClock,
    backoffMs: 5,
    writesPerMinute: 6_000,
    writesPerHour: 100_000,
  });
  const enqueued: RunId[] = [];
  const queue = { enqueue: async (id: RunId) => void enqueued.push(id) } as unknown as RunQueue;
  const notes = createDeliveryNotes();
  const probot = new Probot({ appId, privateKey, secret: webhookSecret, baseUrl: github.apiUrl, log });
  const shelf = { list: async () => [] };
  await probot.load(maestroApp({ store, queue, forge, shelf, clock: systemClock, log, notes, rules: RULES }));
  const inbox = createInbox({ store, probot, notes, clock: systemClock, log, pollMs: 100 });
  const door = createFrontDoor({ store, clock: systemClock, log, webhookSecret, wake: () => inbox.wake() });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const url = `http://127.0.0.1:${(door.address() as AddressInfo).port}`;
  github.control.setWebhookUrl(`${url}/api/github/webhooks`);
  inbox.start();

  async function settled(): Promise<void> {
    await github.control.hooksQuiet();
    await inbox.idle();
    // What the app itself wrote came back to it as events.
    await github.control.hooksQuiet();
    await inbox.idle();
  }

  async function newRepository(
    seed: { readonly files?: Readonly<Record<string, string>>; readonly empty?: boolean } = {},
  ): Promise<Place> {
    const name = `demo-${randomUUID().slice(0, 8)}`;
    const files = { 'README.md': '# Demo\n', ...seed.files };
    const labels = ['maestro', 'maestro:codex', 'maestro:mozart'];
    const { id } = await github.control.createRepository({
      name,
      roles: ROLES,
      labels,
      ...(seed.empty ? {} : { files }),
    });
    return placeAt({ github, store, settled, enqueued }, name, id);
  }

  const pending = async (): Promise<readonly string[]> =>
    (await store.pendingDeliveries(1e15, 100)).map((delivery) => `${delivery.event} ${delivery.guid}`);

  return {
    github,
    store,
    url,
    newRepository,
    settled,
    post: async (body, change = {}) => {
      const bytes = Buffer.from(body);
      const response = await fetch(`${url}/api/github/webhooks`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-github-delivery': randomUUID(),
          'x-github-event': change.event ?? 'issues',
          'x-hub-signature-256': change.signature ?? signatureOf(bytes, webhookSecret),
        },
        body: new Uint8Array(bytes),
      });
      await inbox.idle();
      return response;
    },
    pending,
    assertSettled: async () => {
      const left = await pending();
      if (left.length > 0) throw new Error(`deliveries are still pending: ${left.join(', ')}`);
    },
    [Symbol.asyncDispose]: async () => {
      github.control.setWebhookUrl(null);
      await inbox.stop();
      door.closeAllConnections();
      door.close();
      await once(door, 'close');
      await forge.close();
      await store.close();
      await github.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface PlaceDeps extends Pick<App, 'github' | 'store' | 'settled'> {
  readonly enqueued: readonly RunId[];
}

function placeAt({ github, store, settled, enqueued }: PlaceDeps, name: string, id: number): Place {
  const call = async <Data>(login: string, request: string, body?: unknown): Promise<Data> => {
    const [method, path] = request.split(' ', 2);
    return await github.as(login).call<Data>(`${method} /repos/acme/${name}${path}`, body);
  };
  const as = async <Data>(login: string, request: string, body?: unknown): Promise<Data> => {
    const data = await call<Data>(login, request, body);
    await settled();
    return data;
  };
  const runs = (): Promise<readonly Run[]> => store.listRuns({ repositoryId: id });
  return {
    name,
    runs,
    enqueued: async () => {
      const here = (await runs()).map((run) => run.id);
      return enqueued.filter((run) => here.includes(run));
    },
    as,
    issue: async (title, body = '') =>
      (await as<{ readonly number: number }>('rory', 'POST /issues', { title, body })).number,
    label: async (login, number, ...labels) => {
      await as(login, `POST /issues/${number}/labels`, { labels });
    },
    comment: async (login, number, body) =>
      (await as<{ readonly id: number }>(login, `POST /issues/${number}/comments`, { body })).id,
    answers: async (thread) => {
      const comments = await call<readonly { readonly body: string; readonly user: { readonly login: string } }[]>(
        'ada',
        `GET /issues/${thread}/comments`,
      );
      return comments.filter((comment) => comment.user.login === 'maestro[bot]').map((comment) => comment.body);
    },
    reactions: async (target) => {
      const reactions = await call<readonly { readonly content: string }[]>('ada', `GET /${target}/reactions`);
      return reactions.map((reaction) => reaction.content);
    },
    write: async (path, text, branch = 'main') => {
      const present = await github.as('will').request(`GET /repos/acme/${name}/contents/${path}?ref=${branch}`);
      const sha = present.status === 200 ? { sha: (present.data as { readonly sha: string }).sha } : {};
      const content = Buffer.from(text).toString('base64');
      const body = { message: `Write ${path}`, content, branch, ...sha };
      const { commit } = await as<{ readonly commit: { readonly sha: string } }>('will', `PUT /contents/${path}`, body);
      return commit.sha;
    },
    checks: async (sha) =>
      (await call<{ readonly check_runs: readonly Check[] }>('ada', `GET /commits/${sha}/check-runs`)).check_runs,
    branch: async (branch) => {
      const { object } = await call<{ readonly object: { readonly sha: string } }>('ada', 'GET /git/ref/heads/main');
      await as('will', 'POST /git/refs', { ref: `refs/heads/${branch}`, sha: object.sha });
    },
  };
}
