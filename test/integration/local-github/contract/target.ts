import type { Octokit } from '@octokit/rest';

/**
 * A GitHub to run the contract against: any base URL with an App installed on a repository with at least one commit, in which
 * nothing else happens meanwhile.
 */
export interface Target {
  readonly apiUrl: string;
  readonly owner: string;
  readonly repo: string;
  /** `slug[bot]` */
  readonly botLogin: string;
  /** The App's installation. */
  readonly installation: Octokit;
  /** The App itself. */
  readonly app: Octokit;
  readonly installationId: number;
  /** Octokit with a token. */
  readonly with: (token: string) => Octokit;
  /** A person with write access, and one who may only read. */
  readonly writer: Octokit;
  readonly reader: Octokit;
  /** A private repository where the App is not installed or its token does not reach. */
  readonly unseen: { readonly owner: string; readonly repo: string };
}

let counter = 0;

/** A name nothing else has. */
export function unique(prefix: string): string {
  counter += 1;
  return `${prefix}-${Date.now().toString(36)}-${counter}`;
}

/** Makes a branch with one commit on top of the default one; gives its name and tip. */
export async function branchWithCommit(target: Target): Promise<{ branch: string; sha: string }> {
  const at = { owner: target.owner, repo: target.repo };
  const branch = unique('topic');
  const { data: repository } = await target.installation.rest.repos.get(at);
  const base = await target.installation.rest.git.getRef({ ...at, ref: `heads/${repository.default_branch}` });
  await target.installation.rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha: base.data.object.sha });
  const { data } = await target.installation.rest.repos.createOrUpdateFileContents({
    ...at,
    path: `${branch}.txt`,
    message: `Add ${branch}.txt`,
    content: Buffer.from('hello\n').toString('base64'),
    branch,
  });
  return { branch, sha: data.commit.sha ?? '' };
}
