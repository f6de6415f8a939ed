import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';

export interface AppCredentials {
  readonly appId: number | string;
  /** PEM, as GitHub gives it. */
  readonly privateKey: string;
}

export interface TransportOptions {
  readonly app: AppCredentials;
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
}

/** Makes octokit instances. None of them retries, waits or follows a redirect by itself: `client.ts` decides that. */
export interface Transport {
  /** Speaks as the App itself, with a JWT. */
  readonly asApp: Octokit;
  withToken(token: string): Octokit;
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Makes the transport to one GitHub. */
export function createTransport(options: TransportOptions): Transport {
  // The signal covers the body too: a reply that stops half-way is no answer.
  const withTimeout: typeof fetch = (input, init) => {
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const given = init?.signal ?? undefined;
    return options.fetch(input, { ...init, signal: given === undefined ? timeout : AbortSignal.any([given, timeout]) });
  };
  const common = {
    baseUrl: options.baseUrl.replace(/\/+$/u, ''),
    userAgent: 'maestro-for-github',
    log: SILENT,
    // A redirect says that a repository was renamed; followed, a write would quietly become a read.
    request: { fetch: withTimeout, redirect: 'manual' as const },
  };
  const { appId, privateKey } = options.app;
  return {
    asApp: new Octokit({ ...common, authStrategy: createAppAuth, auth: { appId, privateKey } }),
    withToken: (token) => new Octokit({ ...common, auth: token }),
  };
}
