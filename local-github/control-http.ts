import { z } from 'zod';
import type { Control } from './control.ts';
import { HttpError } from './errors.ts';
import { refusal } from './rest-handler.ts';
import type { Reply } from './routes.ts';

const Repository = z.object({ repository: z.string() });
const Branch = Repository.extend({ branch: z.string() });
const Installation = z.object({ id: z.number().optional() });
const RoleName = z.enum(['admin', 'maintain', 'write', 'triage', 'read', 'none']);
const Times = z.object({ times: z.number().int().positive().optional() });
const Fault = z.union([
  Times.extend({
    kind: z.enum(['cut-after', 'cut-before', 'status', 'secondary-limit', 'primary-limit', 'delay']),
    method: z.string().optional(),
    path: z.string().optional(),
    agent: z.string().optional(),
    status: z.number().optional(),
    retryAfter: z.number().optional(),
    ms: z.number().optional(),
  }),
  Times.extend({
    kind: z.enum(['drop-hook', 'duplicate-hook', 'reorder-hooks']),
    event: z.string().optional(),
    every: z.number().int().positive().optional(),
  }),
]);
const NewUser = z.object({ login: z.string(), name: z.string().optional(), role: RoleName.optional() });
const NewRepository = z.object({
  name: z.string(),
  owner: z.string().optional(),
  private: z.boolean().optional(),
  defaultBranch: z.string().optional(),
  files: z.record(z.string(), z.string()).optional(),
  roles: z.record(z.string(), RoleName).optional(),
});

type Verb = (control: Control, body: unknown) => unknown;

function verb<Input>(schema: z.ZodType<Input>, run: (control: Control, input: Input) => unknown): Verb {
  return (control, body) => {
    const parsed = schema.safeParse(body ?? {});
    if (!parsed.success) throw new HttpError(400, z.prettifyError(parsed.error));
    return run(control, parsed.data);
  };
}

const NOTHING = z.object({});

/** What can be POSTed to `/_control/<verb>`, with its fields as JSON. */
const VERBS: Readonly<Record<string, Verb>> = {
  webhook: verb(z.object({ url: z.string().nullable() }), (control, { url }) => control.setWebhookUrl(url)),
  faults: verb(Fault, (control, rule) => control.addFault(rule)),
  'clear-faults': verb(NOTHING, (control) => control.clearFaults()),
  'expire-tokens': verb(NOTHING, (control) => control.expireTokens()),
  'advance-clock': verb(z.object({ milliseconds: z.number() }), (control, { milliseconds }) =>
    control.advanceClock(milliseconds),
  ),
  'set-clock': verb(z.object({ epochMilliseconds: z.number() }), (control, body) =>
    control.setClock(body.epochMilliseconds),
  ),
  'set-role': verb(Repository.extend({ login: z.string(), role: RoleName }), (control, change) =>
    control.setRole(change),
  ),
  'create-user': verb(NewUser, (control, user) => control.createUser(user)),
  'create-repository': verb(NewRepository, async (control, repository) => await control.createRepository(repository)),
  'rename-repository': verb(Repository.extend({ name: z.string() }), (control, change) =>
    control.renameRepository(change),
  ),
  'delete-repository': verb(Repository, async (control, { repository }) => await control.deleteRepository(repository)),
  'protect-branch': verb(Branch, async (control, change) => await control.protectBranch(change)),
  'unprotect-branch': verb(Branch, async (control, change) => await control.unprotectBranch(change)),
  'refuse-pushes': verb(Repository.extend({ text: z.string().optional() }), async (control, change) =>
    control.refusePushes(change),
  ),
  'set-size': verb(Repository.extend({ kilobytes: z.number() }), (control, change) => control.setSize(change)),
  suspend: verb(Installation, (control, { id }) => control.suspendInstallation(id)),
  unsuspend: verb(Installation, (control, { id }) => control.unsuspendInstallation(id)),
  uninstall: verb(Installation, (control, { id }) => control.uninstall(id)),
  install: verb(z.object({ owner: z.string() }), (control, { owner }) => ({ id: control.install(owner) })),
  'select-repositories': verb(
    Installation.extend({ repositories: z.union([z.literal('all'), z.array(z.string())]) }),
    (control, { repositories, id }) => control.selectRepositories(repositories, id),
  ),
  'set-permissions': verb(
    Installation.extend({ permissions: z.record(z.string(), z.enum(['read', 'write'])) }),
    (control, { permissions, id }) => control.setPermissions(permissions, id),
  ),
  redeliver: verb(z.object({ id: z.number() }), (control, { id }) => control.redeliver(id)),
  'hooks-quiet': verb(
    z.object({ timeout: z.number().optional() }),
    async (control, { timeout }) => await control.hooksQuiet(timeout),
  ),
};

/** What can be read with GET from `/_control/<name>`. */
const READINGS: Readonly<Record<string, (control: Control) => unknown>> = {
  faults: (control) => control.faults(),
  requests: (control) => control.requests(),
  'ref-updates': (control) => control.refUpdates(),
  deliveries: (control) => control.deliveries(),
};

/** Answers `/_control/*`: GET reads a list, POST does something. What went wrong is a reply too: it does not reject. */
export async function handleControl(
  control: Control,
  request: {
    readonly method: string;
    readonly name: string;
    readonly body: unknown;
    readonly origin: string | undefined;
  },
): Promise<Reply> {
  try {
    // A browser's page elsewhere has no business here.
    if (request.origin !== undefined) throw new HttpError(403, 'Control takes no requests from web pages.');
    const avatar = /^avatars\/(\d+)\.svg$/.exec(request.name)?.[1];
    if (avatar !== undefined)
      return { status: 200, raw: { content: drawAvatar(Number(avatar)), type: 'image/svg+xml' } };
    if (request.method === 'GET') {
      const read = READINGS[request.name];
      if (read === undefined) throw unknown(request.name, READINGS);
      return { status: 200, body: read(control) };
    }
    const run = VERBS[request.name];
    if (run === undefined) throw unknown(request.name, VERBS);
    return { status: 200, body: (await run(control, request.body)) ?? {} };
  } catch (error) {
    if (error instanceof HttpError) return refusal(error);
    return refusal(new HttpError(422, error instanceof Error ? error.message : String(error)));
  }
}

function unknown(name: string, known: Readonly<Record<string, unknown>>): HttpError {
  return new HttpError(404, `There is no control "${name}". There are: ${Object.keys(known).join(', ')}.`);
}

function drawAvatar(id: number): Buffer {
  // A hue per account, spread by the golden angle so that neighbours differ.
  const hue = Math.round(id * 137.5) % 360;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" fill="hsl(${hue} 45% 60%)"/></svg>`,
  );
}
