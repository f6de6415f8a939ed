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
import { signatureOf } from '../../../src/app/signature.ts';
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
  defaultProvider: 'scripted',
  allowedBots: [],
  branchPrefix: 'maestro/',
  playbookDirectory: PLAYBOOKS,
};

/** The whole app over a local GitHub: its webhooks, its forge, the embedded store. Only the workers are missing. */
export interface App extends AsyncDisposable {
  readonly github: LocalGithub;
  readonly store: Store;
  readonly enqueued: readonly RunId[];
  /** Where the front door listens: `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Waits until GitHub has told everything and the app has dealt with it. */
  settled(): Promise<void>;
  runs(): Promise<readonly Run[]>;
  /** Does something on GitHub as a person, then waits until it is dealt with. Gives GitHub's answer. */
  as<Data>(login: string, request: string, body?: unknown): Promise<Data>;
  /** Opens an issue. Gives its number. */
  issue(title: string, body?: string, login?: string): Promise<number>;
  /** What our bot wrote in a thread, oldest first. */
  answers(thread: number): Promise<readonly string[]>;
  /** Reactions to an issue (`issues/1`) or comment (`issues/comments/7`). */
  reactions(target: string): Promise<readonly string[]>;
  /** Writes a file on a branch as a person. Gives the new commit's sha. */
  write(path: string, text: string | Buffer, options?: { readonly login?: string; readonly branch?: string }): Promise<string>;
  /** Posts to the front door as GitHub would, but for `change`. */
  post(body: string | Buffer, change?: { readonly event?: string; readonly signature?: string }): Promise<Response>;
  /** How each delivery of the store still pending failed; empty when all are settled. */
  pending(): Promise<readonly string[]>;
}

/** Starts the app and a GitHub with one repository `acme/demo` in which each role has somebody. */
export async function startApp(files: Readonly<Record<string, string>> = {}): Promise<App> {
  const github = await startLocalGithub({
    seed: {
      repositories: [
        { name: 'demo', files: { 'README.md': '# Demo\n', ...files }, labels: ['maestro', 'maestro:codex', 'maestro:mozart'] },
        { name: 'empty', labels: ['maestro'] },
      ],
    },
  });
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
  });
  const enqueued: RunId[] = [];
  const queue = { enqueue: async (id: RunId) => void enqueued.push(id) } as unknown as RunQueue;
  const notes = createDeliveryNotes();
  const probot = new Probot({ appId, privateKey, secret: webhookSecret, baseUrl: github.apiUrl, log });
  await probot.load(maestroApp({ store, queue, forge, clock: systemClock, log, notes, rules: RULES }));
  const inbox = createInbox({ store, probot, notes, clock: systemClock, log, pollMs: 100 });
  const door = createFrontDoor({ store, clock: systemClock, log, webhookSecret, wake: inbox.wake });
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

  async function as<Data>(login: string, request: string, body?: unknown): Promise<Data> {
    const data = await github.as(login).call<Data>(request, body);
    await settled();
    return data;
  }

  return {
    github,
    store,
    enqueued,
    url,
    settled,
    as,
    runs: () => store.listRuns(),
    issue: async (title, body = '', login = 'rory') =>
      (await as<{ readonly number: number }>(login, 'POST /repos/acme/demo/issues', { title, body })).number,
    answers: async (thread) => {
      const comments = await github
        .as('ada')
        .call<readonly { readonly body: string; readonly user: { readonly login: string } }[]>(
          `GET /repos/acme/demo/issues/${thread}/comments`,
        );
      return comments.filter((comment) => comment.user.login === 'maestro[bot]').map((comment) => comment.body);
    },
    reactions: async (target) => {
      const reactions = await github
        .as('ada')
        .call<readonly { readonly content: string }[]>(`GET /repos/acme/demo/${target}/reactions`);
      return reactions.map((reaction) => reaction.content);
    },
    write: async (path, text, { login = 'will', branch = 'main' } = {}) => {
      const at = `/repos/acme/demo/contents/${path}`;
      const present = await github.as(login).request(`GET ${at}?ref=${branch}`);
      const sha = present.status === 200 ? { sha: (present.data as { readonly sha: string }).sha } : {};
      const content = Buffer.from(text).toString('base64');
      const body = { message: `Write ${path}`, content, branch, ...sha };
      const { commit } = await as<{ readonly commit: { readonly sha: string } }>(login, `PUT ${at}`, body);
      return commit.sha;
    },
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
    pending: async () => (await store.pendingDeliveries(1e15, 100)).map((delivery) => `${delivery.event} ${delivery.guid}`),
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
