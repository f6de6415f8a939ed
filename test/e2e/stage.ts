import type { LocalGithub } from '../../local-github/server.ts';
import type { Config } from '../../src/config.ts';
import type { Store } from '../../src/store/store.ts';

/** A running product that can be looked into. */
export interface Audited {
  readonly runner: 'local' | 'docker';
  /** Of the engine jobs run on; as `DOCKER_HOST` is written. */
  readonly dockerHost: string | undefined;
  readonly github: LocalGithub;
  readonly store: Store;
  readonly config: Config;
  /** What app and worker logged, one JSON object a line. */
  readonly log: readonly string[];
  /** Every credential there is, as it would look if it leaked. */
  readonly secrets: () => readonly string[];
}

/** Somebody of each role in every repository of a test. */
export const ROLES = { ada: 'admin', mira: 'maintain', will: 'write', tess: 'triage', rory: 'read' } as const;

/** Stands for a model key everywhere a key is configured: it must turn up nowhere. */
export const KEY_CANARY = 'sk-ant-canary-0f5c7d29b8e14a63';

/** Every credential there is so far: the tokens GitHub issued, the webhook's secret, a line of the private key, the model key. */
export function secretsOf(github: LocalGithub): readonly string[] {
  const [, line = ''] = github.app.privateKey.split('\n');
  return [...new Set([...github.control.issuedTokens(), github.app.webhookSecret, line, KEY_CANARY])];
}

/** What GitHub told about the pull requests of a repository, oldest first. */
export function pullRequestEvents(
  { github }: Pick<Audited, 'github'>,
  repositoryId: number,
): readonly { readonly action: string; readonly draft: boolean }[] {
  return github.control
    .deliveries()
    .filter(({ event }) => event === 'pull_request')
    .map(({ request }) => request.payload as unknown as PullRequestEvent)
    .filter(({ repository }) => repository.id === repositoryId)
    .map(({ action, pull_request: { draft } }) => ({ action, draft }));
}

interface PullRequestEvent {
  readonly action: string;
  readonly repository: { readonly id: number };
  readonly pull_request: { readonly draft: boolean };
}
