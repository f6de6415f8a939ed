import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import type { AppFacts, HookLog, Registration } from '../../forge/forge.ts';
import type { Check, Examination } from './check.ts';

/** GitHub takes a JWT whose times are off by about a minute (docs: "Generating a JSON Web Token (JWT) for a GitHub App"). */
const CLOCK_MS = 30_000;
/** How many of GitHub's last tries to deliver are looked at. */
const DELIVERIES = 20;
const ANSWER_MS = 10_000;

const Manifest = z.object({
  default_permissions: z.record(z.string(), z.string()),
  default_events: z.array(z.string()),
});
type Manifest = z.infer<typeof Manifest>;

/** The App as it is registered with GitHub: key, clock, permissions, events, installations, webhook. */
export function registrationExamination(forge: Registration & HookLog): Examination {
  return {
    name: 'GitHub App',
    advice:
      "Check APP_ID, PRIVATE_KEY (a new one is made on the App's settings page) and GHE_HOST, and that GitHub can be reached.",
    examine: async () => {
      const facts = await forge.registration();
      const manifest = await readManifest();
      return [
        { name: 'GitHub App', state: 'ok', detail: `${facts.name} accepts our key` },
        ...clock(facts),
        permissions(facts, manifest),
        installations(facts, manifest),
        webhookSettings(facts),
        await webhook(facts, forge),
      ];
    },
  };
}

async function readManifest(): Promise<Manifest> {
  return Manifest.parse(parse(await readFile(new URL('../../../app.yml', import.meta.url), 'utf8')));
}

function clock({ clockAhead }: AppFacts): readonly Check[] {
  if (clockAhead === undefined || Math.abs(clockAhead) < CLOCK_MS) return [];
  const detail = `this machine's clock is ${Math.round(Math.abs(clockAhead) / 1000)} s ${clockAhead > 0 ? 'ahead of' : 'behind'} GitHub's`;
  return [{ name: 'clock', state: 'warning', detail, advice: 'Set it (NTP): beyond a minute GitHub refuses our key.' }];
}

function permissions({ permissions: granted, events }: AppFacts, manifest: Manifest): Check {
  const missing = missingFrom(granted, manifest);
  const unheard = manifest.default_events.filter((event) => !events.includes(event));
  const more = Object.keys(granted).filter((name) => manifest.default_permissions[name] === undefined);
  if (missing.length + unheard.length > 0) {
    const parts = [
      ...(missing.length === 0 ? [] : [`lacks the permissions ${missing.join(', ')}`]),
      ...(unheard.length === 0 ? [] : [`is not subscribed to ${unheard.join(', ')}`]),
    ];
    const advice = "Add them on the App's settings page, under Permissions & events; app.yml says what each is for.";
    return { name: 'permissions', state: 'failed', detail: `the App ${parts.join(' and ')}`, advice };
  }
  if (more.length > 0) {
    const detail = `the App has more than it needs: ${more.join(', ')}`;
    return { name: 'permissions', state: 'warning', detail, advice: "Take them away on the App's settings page." };
  }
  return { name: 'permissions', state: 'ok', detail: `all ${Object.keys(granted).length} it needs, and no more` };
}

function missingFrom(granted: Readonly<Record<string, string>>, manifest: Manifest): readonly string[] {
  return Object.entries(manifest.default_permissions)
    .filter(([name, level]) => granted[name] !== level && granted[name] !== 'write')
    .map(([name, level]) => `${name}: ${level}`);
}

function installations({ installations: all }: AppFacts, manifest: Manifest): Check {
  const name = 'installations';
  if (all.length === 0) {
    const advice = 'Install it on a repository: the App’s settings page, Install App.';
    return { name, state: 'failed', detail: 'the App is not installed anywhere', advice };
  }
  const behind = all.filter((one) => !one.suspended && missingFrom(one.permissions, manifest).length > 0);
  if (behind.length > 0) {
    const detail = `${behind.map(({ account }) => account).join(', ')} has not granted all permissions the App asks for`;
    return { name, state: 'failed', detail, advice: 'Its owner has to accept the request: Settings, GitHub Apps.' };
  }
  const suspended = all.filter((one) => one.suspended).map(({ account }) => account);
  const detail = all.map(({ account }) => account).join(', ');
  return suspended.length === 0
    ? { name, state: 'ok', detail }
    : {
        name,
        state: 'warning',
        detail: `${detail}; suspended: ${suspended.join(', ')}`,
        advice: 'Their owners can lift that.',
      };
}

function webhookSettings({ webhook: { url, contentType, verifiesTls } }: AppFacts): Check {
  const name = 'webhook settings';
  const advice = "Set it on the App's settings page.";
  if (url === undefined || url === '') return { name, state: 'failed', detail: 'the App has no webhook URL', advice };
  if (contentType !== 'json') {
    return { name, state: 'failed', detail: `GitHub sends ${contentType ?? 'forms'}, and only json is read`, advice };
  }
  if (!verifiesTls && url.startsWith('https:')) {
    return { name, state: 'warning', detail: `GitHub does not verify the certificate of ${url}`, advice };
  }
  return { name, state: 'ok', detail: url };
}

/** Whether what GitHub sends arrives: by its own record of the last tries, and, where there are none, by asking the URL from here. */
async function webhook({ webhook: { url } }: AppFacts, forge: HookLog): Promise<Check> {
  const name = 'webhook';
  const { attempts } = await forge.hookAttempts(undefined);
  const last = attempts.slice(0, DELIVERIES);
  const failed = last.filter(({ ok }) => !ok).length;
  if (last[0]?.ok === true) {
    const detail = `GitHub's last delivery arrived, ${new Date(last[0].at).toISOString()}`;
    return failed === 0
      ? { name, state: 'ok', detail }
      : { name, state: 'warning', detail: `${detail}; ${failed} of the last ${last.length} tries failed` };
  }
  if (last.length > 0) {
    return {
      name,
      state: 'failed',
      detail: `GitHub's last try did not arrive, ${failed} of the last ${last.length} failed`,
      advice: `Make ${url ?? 'the webhook URL'} reach the app from the internet; what was missed is asked for again once it does.`,
    };
  }
  if (url === undefined) return { name, state: 'skipped', detail: 'there is no URL' };
  const reached = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(ANSWER_MS) }).then(
    ({ status }) => status === 200,
    () => false,
  );
  return reached
    ? { name, state: 'ok', detail: `the app answers at ${url}; GitHub has delivered nothing yet` }
    : {
        name,
        state: 'warning',
        detail: `GitHub has delivered nothing yet, and the app does not answer at ${url} from here`,
        advice: 'Start the app, and make that address reach it.',
      };
}
