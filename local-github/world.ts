import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { timestamp } from './clock.ts';
import type { Permissions, World } from './state.ts';

/** How the App is registered. */
export interface AppOptions {
  readonly id?: number;
  readonly slug?: string;
  readonly name?: string;
  /** PEM; made when omitted. */
  readonly privateKey?: string;
  readonly webhookSecret?: string;
  readonly permissions?: Permissions;
  /** Events the App subscribes to. */
  readonly events?: readonly string[];
}

const PERMISSIONS: Permissions = {
  metadata: 'read',
  contents: 'write',
  pull_requests: 'write',
  issues: 'write',
  checks: 'write',
};
const EVENTS = ['issue_comment', 'issues', 'pull_request', 'push', 'repository'];
const APP_ID = 4242;
const BOT_ID = 4243;
const HOOK_ID = 4244;
const FIRST_ID = 10_000;
// Each carries its whole payload, and the file is written anew after every change.
const SAVED_DELIVERIES = 200;
const STATE_FILE = 'state.json';

let sharedKey: Promise<string> | undefined;

/** A new world with the App, its owner-to-be unknown, and the App's bot. */
export async function createWorld(options: AppOptions, now: number): Promise<World> {
  // Making a key takes a tenth of a second and more: one does for every server of a process.
  sharedKey ??= makeKey();
  const privateKey = options.privateKey ?? (await sharedKey);
  const slug = options.slug ?? 'maestro';
  const createdAt = timestamp(now);
  return {
    nextId: FIRST_ID,
    app: {
      id: options.id ?? APP_ID,
      slug,
      name: options.name ?? 'Maestro',
      ownerId: BOT_ID,
      botUserId: BOT_ID,
      privateKey,
      publicKey: createPublicKey(createPrivateKey(privateKey)).export({ type: 'spki', format: 'pem' }).toString(),
      webhookSecret: options.webhookSecret ?? randomBytes(20).toString('hex'),
      webhookUrl: null,
      hookId: HOOK_ID,
      permissions: options.permissions ?? PERMISSIONS,
      events: [...(options.events ?? EVENTS)],
      createdAt,
    },
    accounts: { [BOT_ID]: { id: BOT_ID, login: `${slug}[bot]`, type: 'Bot', name: null, createdAt } },
    installations: {},
    repositories: {},
    labels: {},
    issues: {},
    comments: {},
    reactions: {},
    checkRuns: {},
    reviews: {},
    issueEvents: [],
    activities: [],
    tokens: {},
    deliveries: [],
  };
}

async function makeKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

/** The world saved in a data directory; undefined when there is none yet. */
export async function loadWorld(directory: string): Promise<World | undefined> {
  let text: string;
  try {
    text = await readFile(join(directory, STATE_FILE), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  // What was saved by an older version has no such histories.
  const world = JSON.parse(text) as Omit<World, 'issueEvents' | 'activities'> & Partial<World>;
  return { ...world, issueEvents: world.issueEvents ?? [], activities: world.activities ?? [] };
}

/** Saves a world so that a crash in between leaves the last one whole. */
export async function saveWorld(directory: string, world: World): Promise<void> {
  const file = join(directory, STATE_FILE);
  await writeFile(`${file}.new`, JSON.stringify({ ...world, deliveries: world.deliveries.slice(-SAVED_DELIVERIES) }), {
    mode: 0o600,
  });
  await rename(`${file}.new`, file);
}
