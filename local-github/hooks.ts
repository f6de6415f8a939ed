import { createHmac } from 'node:crypto';

import type { ServerClock } from './clock.ts';
import type { Faults } from './faults.ts';
import { takeId } from './state.ts';
import type { Delivery, World } from './state.ts';

/** One event on its way to the App. */
interface Hook {
  readonly event: string;
  readonly action: string | null;
  readonly guid: string;
  readonly installationId: number | null;
  readonly repositoryId: number | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly redelivery: boolean;
}

/** Sends webhooks one after another, in the order the events happened, each once: no retry of its own, like GitHub. */
export interface HookQueue {
  enqueue(hook: Hook): void;
  /** Delivers again what a delivery carried; its answer is a delivery of its own with the same GUID. */
  redeliver(delivery: Delivery): void;
  /** Resolves when nothing is queued or in flight; hooks held for reordering are let go first. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

const TIMEOUT = 10_000;
const USER_AGENT = 'GitHub-Hookshot/local';
// Enough to look back on a long test; GitHub keeps 30 days.
const KEPT_DELIVERIES = 5000;

/** A queue that posts to the App's webhook URL, whatever it is when a hook's turn comes. */
export function createHookQueue(options: {
  readonly world: World;
  readonly clock: ServerClock;
  readonly faults: Faults;
  /** Told of every delivery. */
  readonly delivered: (delivery: Delivery) => void;
  readonly changed: () => void;
}): HookQueue {
  const { world, clock, faults, delivered, changed } = options;
  let waiting: Hook[] = [];
  let held: Hook[] = [];
  let running: Promise<void> | undefined;
  const closing = new AbortController();

  function push(hook: Hook): void {
    waiting.push(hook);
    running ??= run();
  }

  async function run(): Promise<void> {
    // The request that caused the event is answered first.
    await new Promise((resolve) => setImmediate(resolve));
    for (let hook = waiting.shift(); hook !== undefined; hook = waiting.shift()) {
      if (closing.signal.aborted) break;
      const delivery = await deliver(hook);
      world.deliveries.push(delivery);
      if (world.deliveries.length > KEPT_DELIVERIES) world.deliveries.shift();
      delivered(delivery);
      changed();
    }
    running = undefined;
  }

  async function deliver(hook: Hook): Promise<Delivery> {
    const body = JSON.stringify(hook.payload);
    const headers = headersOf(world, hook, body);
    const started = performance.now();
    const answer = await post(world.app.webhookUrl, { headers, body, closing: closing.signal });
    return {
      id: takeId(world),
      guid: hook.guid,
      event: hook.event,
      action: hook.action,
      deliveredAt: new Date(clock.now()).toISOString(),
      redelivery: hook.redelivery,
      duration: Math.round(performance.now() - started) / 1000,
      status: answer.status,
      statusCode: answer.statusCode,
      installationId: hook.installationId,
      repositoryId: hook.repositoryId,
      request: { headers, payload: hook.payload },
      response: { headers: answer.headers, payload: answer.payload },
    };
  }

  function release(): void {
    const letGo = held.toReversed();
    held = [];
    letGo.forEach(push);
  }

  return {
    enqueue(hook) {
      if (faults.takeHookFault('drop-hook', hook.event, hook.action) !== undefined) return;
      const reorder = faults.takeHookFault('reorder-hooks', hook.event, hook.action);
      if (reorder !== undefined) {
        held.push(hook);
        if (reorder.left === 0) release();
        return;
      }
      push(hook);
      if (faults.takeHookFault('duplicate-hook', hook.event, hook.action) !== undefined) push(hook);
    },
    redeliver(delivery) {
      push({
        event: delivery.event,
        action: delivery.action,
        guid: delivery.guid,
        installationId: delivery.installationId,
        repositoryId: delivery.repositoryId,
        payload: delivery.request.payload,
        redelivery: true,
      });
    },
    async quiet() {
      release();
      for (let busy = running; busy !== undefined; busy = running) await busy;
    },
    async close() {
      closing.abort();
      waiting = [];
      held = [];
      await running;
    },
  };
}

function headersOf(world: World, hook: Hook, body: string): Record<string, string> {
  const { app } = world;
  return {
    accept: '*/*',
    'content-type': 'application/json',
    'user-agent': USER_AGENT,
    'x-github-delivery': hook.guid,
    'x-github-event': hook.event,
    'x-github-hook-id': String(app.hookId),
    'x-github-hook-installation-target-id': String(app.id),
    'x-github-hook-installation-target-type': 'integration',
    'x-hub-signature': `sha1=${createHmac('sha1', app.webhookSecret).update(body).digest('hex')}`,
    'x-hub-signature-256': `sha256=${createHmac('sha256', app.webhookSecret).update(body).digest('hex')}`,
  };
}

interface Answer {
  readonly status: string;
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly payload: string | null;
}

async function post(
  url: string | null,
  request: { readonly headers: Record<string, string>; readonly body: string; readonly closing: AbortSignal },
): Promise<Answer> {
  const unreachable = { status: 'failed to connect to host', statusCode: 502, headers: {}, payload: null };
  if (url === null) return unreachable;
  const timeout = AbortSignal.timeout(TIMEOUT);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.any([timeout, request.closing]),
    });
    const payload = await response.text();
    return {
      status: response.ok ? 'OK' : `Invalid HTTP Response: ${response.status}`,
      statusCode: response.status,
      headers: Object.fromEntries(response.headers),
      payload,
    };
  } catch {
    return timeout.aborted ? { ...unreachable, status: 'timed out', statusCode: 504 } : unreachable;
  }
}

/** `hook-delivery-item`, with `full` what was sent and answered. */
export function presentDelivery(delivery: Delivery, full: boolean): Readonly<Record<string, unknown>> {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt,
    redelivery: delivery.redelivery,
    duration: delivery.duration,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: null,
    ...(full ? { url: '', request: delivery.request, response: delivery.response } : {}),
  };
}
