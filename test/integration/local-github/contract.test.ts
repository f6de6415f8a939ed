import { afterAll, beforeAll, describe } from 'vitest';
import { startLocalGithub } from '../../../local-github/server.ts';
import type { LocalGithub } from '../../../local-github/server.ts';
import { accessContract } from './contract/access.ts';
import { contentsContract } from './contract/contents.ts';
import { issuesContract } from './contract/issues.ts';
import { pullsContract } from './contract/pulls.ts';
import type { Target } from './contract/target.ts';
import { octokitOf, octokitWith } from './support.ts';

describe('the local GitHub keeps the contract', () => {
  let github: LocalGithub | undefined;
  let target: Target | undefined;

  beforeAll(async () => {
    github = await startLocalGithub({
      seed: {
        repositories: [
          { name: 'demo', files: { 'README.md': '# Demo\n' } },
          { name: 'secret', private: true },
        ],
      },
    });
    const { apiUrl, installationId } = github;
    target = {
      apiUrl,
      owner: 'acme',
      repo: 'demo',
      botLogin: 'maestro[bot]',
      installation: octokitOf(github, installationId),
      app: octokitOf(github),
      installationId,
      with: (token) => octokitWith(apiUrl, token),
      writer: octokitWith(apiUrl, github.as('will').token),
      reader: octokitWith(apiUrl, github.as('rory').token),
      unseen: { owner: 'acme', repo: 'secret' },
    };
  });

  afterAll(async () => {
    await github?.close();
  });

  function theTarget(): Target {
    if (target === undefined) throw new Error('The local GitHub did not start.');
    return target;
  }

  describe('access', () => {
    accessContract(theTarget);
  });
  describe('issues', () => {
    issuesContract(theTarget);
  });
  describe('pull requests', () => {
    pullsContract(theTarget);
  });
  describe('contents', () => {
    contentsContract(theTarget);
  });
});
