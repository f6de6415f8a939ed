import { ForgeError, type HookAttempt, type HookLog, type HookPage } from '../forge.ts';
import { asApp } from './as-app.ts';
import type { IdentityDeps } from './identity.ts';

interface Item {
  readonly id: string;
  readonly guid: string;
  readonly delivered_at: string;
  readonly status_code: number;
  readonly event: string;
  readonly action: string | null;
}

/** Makes the verbs about the webhook deliveries GitHub made to the App. */
export function createHookLog(deps: IdentityDeps): HookLog {
  const { asApp: github } = deps.transport;

  async function hookAttempts(cursor: string | undefined): Promise<HookPage> {
    const what = 'list the webhook deliveries';
    return await asApp(deps, what, async () => {
      const reply = await github.request('GET /app/hook/deliveries', {
        per_page: 100,
        ...(cursor === undefined ? {} : { cursor }),
        request: { parseSuccessResponseBody: false },
      });
      const items = parseItems(await textOf(reply.data));
      if (items === undefined) throw new ForgeError('unavailable', `could not ${what}: the reply was cut off`);
      return { data: { attempts: items.map(toAttempt), next: nextCursor(reply.headers.link) } };
    });
  }

  async function redeliver(id: string): Promise<void> {
    await asApp(deps, `ask for webhook delivery ${id} again`, async () => {
      await github.request('POST /app/hook/deliveries/{delivery_id}/attempts', {
        delivery_id: id as unknown as number,
      });
      return { data: {} };
    });
  }

  return { hookAttempts, redeliver };
}

/** Unparsed, octokit gives a body as a stream. */
async function textOf(body: unknown): Promise<string> {
  return typeof body === 'string' ? body : await new Response(body as ReadableStream).text();
}

/** Ids have 64 bits, more than a number of JavaScript holds exactly: they are read as texts. Undefined for a cut reply. */
function parseItems(text: string): readonly Item[] | undefined {
  try {
    const items: unknown = JSON.parse(text.replaceAll(/([{,]\s*"id"\s*:\s*)(\d+)/g, '$1"$2"'));
    return Array.isArray(items) ? (items as readonly Item[]) : undefined;
  } catch {
    return undefined;
  }
}

function toAttempt(item: Item): HookAttempt {
  return {
    id: item.id,
    guid: item.guid,
    at: Date.parse(item.delivered_at),
    ok: item.status_code >= 200 && item.status_code < 300,
    event: item.event,
    action: item.action ?? undefined,
  };
}

function nextCursor(link: string | undefined): string | undefined {
  const url = /<([^>]+)>;\s*rel="next"/u.exec(link ?? '')?.[1];
  return url === undefined ? undefined : (new URL(url).searchParams.get('cursor') ?? undefined);
}
