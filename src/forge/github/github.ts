import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Forge, HookLog, Registration, Survey } from '../forge.ts';
import { createRedactor } from '../redact.ts';
import { createChecks } from './checks.ts';
import { createClient } from './client.ts';
import { createComments } from './comments.ts';
import type { ForgeContext } from './context.ts';
import { createSerially } from './ensure.ts';
import { createDotGithub } from './dot-github.ts';
import { createFiles } from './files.ts';
import { createHookLog } from './hook-log.ts';
import { createIdentity } from './identity.ts';
import { createIssues } from './issues.ts';
import { createPace } from './pace.ts';
import { createPullRequests } from './pull-requests.ts';
import { createRegistration } from './registration.ts';
import { createRoles } from './roles.ts';
import { createSurvey } from './survey.ts';
import { createTokens } from './tokens.ts';
import { createTransport, type AppCredentials } from './transport.ts';
import { gitUrl, webUrl } from './urls.ts';

export interface GithubForgeOptions {
  readonly app: AppCredentials;
  /** Of the REST API: `https://api.github.com`, or `https://HOST/api/v3`. GraphQL and git are derived from it. */
  readonly baseUrl: string;
  /** Keys the HMAC of hidden markers: whoever has it can claim comments of ours. */
  readonly markerSecret: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly fetch?: typeof fetch;
  /** Values that must not be in anything we publish. */
  readonly secrets?: () => readonly string[];
  /** For one request, its body included. Default 30 s. */
  readonly timeoutMs?: number;
  /** Wait before the second try, doubling; default 500 ms. */
  readonly backoffMs?: number;
  /** Default 70, below the 80 GitHub documents: the app and each worker count for themselves. */
  readonly writesPerMinute?: number;
  /** Default 450, below the 500 GitHub documents. */
  readonly writesPerHour?: number;
}

/** A forge with a lifetime: `close` revokes the tokens it holds. */
export interface GithubForge extends Forge, HookLog, Survey, Registration {
  close(): Promise<void>;
}

/** Makes the forge for one GitHub App on one GitHub. Asks nothing of GitHub before its first verb is called. */
export function createGithubForge(options: GithubForgeOptions): GithubForge {
  const { clock, log, baseUrl } = options;
  const transport = createTransport({
    app: options.app,
    baseUrl,
    fetch: options.fetch ?? fetch,
    timeoutMs: options.timeoutMs ?? 30_000,
  });
  const tokens = createTokens({ transport, clock });
  const client = createClient({
    tokens,
    clock,
    log,
    backoffMs: options.backoffMs ?? 500,
    pace: createPace({ clock, perMinute: options.writesPerMinute ?? 70, perHour: options.writesPerHour ?? 450 }),
  });
  const identity = createIdentity({ transport, client, clock });
  const secrets = (): readonly string[] => [...(options.secrets?.() ?? []), ...tokens.values()];
  const context: ForgeContext = {
    client,
    identity,
    serially: createSerially(),
    redact: createRedactor(secrets),
    markerSecret: options.markerSecret,
  };
  return {
    self: async () => (await identity()).bot,
    repository: (repository) => client.current(repository),
    redact: context.redact,
    webUrl: (repository) => webUrl(baseUrl, { owner: repository.owner, repo: repository.name }),
    writeRoom: () => client.writeRoom(),
    ...createRoles(context),
    ...createFiles(context),
    dotGithub: createDotGithub({ client, clock }),
    ...createIssues(context),
    ...createPullRequests(context),
    ...createComments(context),
    ...createChecks(context),
    ...createHookLog({ transport, client, clock }),
    ...createSurvey({ transport, client, clock }),
    ...createRegistration({ transport, client, clock }),
    gitAccess: async (repository) => {
      // Asked with the very token git is to get: one that GitHub has withdrawn is replaced on the way. Git itself could not tell.
      const now = await client.current(repository, 'git');
      const { value } = await tokens.get(repository, 'git');
      return {
        url: gitUrl(baseUrl, { owner: now.owner, repo: now.name }),
        authorization: `basic ${Buffer.from(`x-access-token:${value}`).toString('base64')}`,
      };
    },
    close: () => tokens.revokeAll(),
  };
}
