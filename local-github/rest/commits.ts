import { HttpError, notFound, unprocessable } from '../errors.ts';
import { changedFiles } from '../git/diff.ts';
import { countApart, listCommits, mergeBase, readCommit, resolveCommit } from '../git/objects.ts';
import type { Commit } from '../git/objects.ts';
import { git } from '../git/process.ts';
import { readRefs } from '../git/ref-files.ts';
import { pageOf, paginate } from '../pages.ts';
import { presentChange, presentCommit } from '../presenters/git.ts';
import { repositoryHtmlUrl, repositoryUrl } from '../presenters/repository.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { refuseEmpty } from './git-data.ts';

const READ = { app: [['contents', 'read']], user: 'read' } as const;

// What GitHub's comparison shows at most.
const MOST_COMMITS = 250;
const MOST_FILES = 300;
// The tree every empty diff starts from.
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export const commitRoutes: readonly Route[] = [
  onRepository('GET /branches', 'repos/list-branches', READ, listBranches),
  onRepository('GET /branches/{branch}', 'repos/get-branch', READ, getBranch),
  onRepository('GET /commits', 'repos/list-commits', READ, list),
  onRepository('GET /commits/{ref}', 'repos/get-commit', READ, get),
  onRepository('GET /compare/{basehead+}', 'repos/compare-commits-with-basehead', READ, compare),
];

async function branches(call: RepositoryCall): Promise<{ name: string; sha: string }[]> {
  const refs = [...(await readRefs(call.directory))];
  return refs.flatMap(([ref, sha]) => (ref.startsWith('refs/heads/') ? [{ name: ref.slice(11), sha }] : []));
}

async function listBranches(call: RepositoryCall): Promise<Reply> {
  const api = repositoryUrl(call.hub, call.repository);
  const wanted = call.query.get('protected');
  const all = (await branches(call)).map((branch) => ({
    ...branch,
    protected: call.repository.protectedBranches.includes(branch.name),
  }));
  const found = all.filter((branch) => wanted === null || String(branch.protected) === wanted);
  return paginate(call, found, (branch) => ({
    name: branch.name,
    commit: { sha: branch.sha, url: `${api}/commits/${branch.sha}` },
    protected: branch.protected,
  }));
}

async function getBranch(call: RepositoryCall): Promise<Reply> {
  const name = call.params['branch'] ?? '';
  const commit = await readCommit(call.directory, `refs/heads/${name}`);
  if (commit === undefined) throw notFound('Branch not found');
  const self = `${repositoryUrl(call.hub, call.repository)}/branches/${encodeURIComponent(name)}`;
  const isProtected = call.repository.protectedBranches.includes(name);
  return {
    status: 200,
    body: {
      name,
      commit: presentCommit(call.hub, call.repository, commit),
      _links: { self, html: `${repositoryHtmlUrl(call.hub, call.repository)}/tree/${name}` },
      protected: isProtected,
      protection: {
        enabled: isProtected,
        required_status_checks: { enforcement_level: 'off', contexts: [], checks: [] },
      },
      protection_url: `${self}/protection`,
    },
  };
}

async function list(call: RepositoryCall): Promise<Reply> {
  await refuseEmpty(call);
  const { directory, query, repository } = call;
  const name = query.get('sha') ?? repository.defaultBranch;
  const sha = await resolveCommit(directory, name);
  if (sha === undefined) throw notFound();
  const path = query.get('path');
  const limits = [
    ...(query.has('since') ? [`--since=${query.get('since') ?? ''}`] : []),
    ...(query.has('until') ? [`--until=${query.get('until') ?? ''}`] : []),
  ];
  const found = await listCommits(directory, [...limits, sha, ...(path === null ? [] : ['--', path])]);
  return paginate(call, found, (commit) => presentCommit(call.hub, repository, commit));
}

async function get(call: RepositoryCall): Promise<Reply> {
  await refuseEmpty(call);
  const { hub, repository, directory } = call;
  const ref = (call.params['ref'] ?? '').replace(/^(heads|tags)\//, '');
  const sha = await resolveCommit(directory, ref);
  const commit = sha === undefined ? undefined : await readCommit(directory, sha);
  if (commit === undefined) throw unprocessable(`No commit found for SHA: ${ref}`);
  if (/\bsha\b/.test(call.headers.accept ?? '')) {
    return {
      status: 200,
      raw: { content: Buffer.from(commit.sha), type: 'application/vnd.github.sha; charset=utf-8' },
    };
  }
  const files = await changedFiles(directory, commit.parents[0] ?? EMPTY_TREE, commit.sha);
  const additions = files.reduce((sum, file) => sum + file.additions, 0);
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
  return {
    status: 200,
    body: {
      ...presentCommit(hub, repository, commit),
      stats: { total: additions + deletions, additions, deletions },
      files: files.slice(0, MOST_FILES).map((file) => presentChange(hub, repository, file, commit.sha)),
    },
  };
}

async function compare(call: RepositoryCall): Promise<Reply> {
  const { hub, repository, directory } = call;
  const basehead = call.params['basehead'] ?? '';
  const sides = await sidesOf(directory, basehead);
  const common = await commonBase(directory, basehead, sides);
  const { ahead, behind } = await countApart(directory, sides.base.sha, sides.head.sha);
  const { page, perPage } = pageOf(call.query);
  const paged = call.query.has('page') || call.query.has('per_page');
  const commits = (await listCommits(directory, ['--topo-order', `${sides.base.sha}..${sides.head.sha}`])).toReversed();
  const files = await changedFiles(directory, common.sha, sides.head.sha);
  if (/\bdiff\b/.test(call.headers.accept ?? '')) {
    const content = Buffer.from(await git(directory, ['diff', common.sha, sides.head.sha]));
    return { status: 200, raw: { content, type: 'application/vnd.github.diff; charset=utf-8' } };
  }
  const html = `${repositoryHtmlUrl(hub, repository)}/compare/${basehead}`;
  const shown = paged ? commits.slice((page - 1) * perPage, page * perPage) : commits.slice(-MOST_COMMITS);
  return {
    status: 200,
    body: {
      url: `${repositoryUrl(hub, repository)}/compare/${basehead}`,
      html_url: html,
      permalink_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      base_commit: presentCommit(hub, repository, sides.base),
      merge_base_commit: presentCommit(hub, repository, common),
      status: statusOf(ahead, behind),
      ahead_by: ahead,
      behind_by: behind,
      total_commits: ahead,
      commits: shown.map((commit) => presentCommit(hub, repository, commit)),
      files: files.slice(0, MOST_FILES).map((file) => presentChange(hub, repository, file, sides.head.sha)),
    },
  };
}

function statusOf(ahead: number, behind: number): string {
  if (ahead === 0) return behind === 0 ? 'identical' : 'behind';
  return behind === 0 ? 'ahead' : 'diverged';
}

async function sidesOf(directory: string, basehead: string): Promise<{ readonly base: Commit; readonly head: Commit }> {
  const [base = '', head = ''] = basehead.split('...').map((side) => side.replace(/^[^/:]+:/, ''));
  const commits = await Promise.all(
    [base, head].map(async (name) => {
      const sha = name === '' ? undefined : await resolveCommit(directory, name);
      return sha === undefined ? undefined : await readCommit(directory, sha);
    }),
  );
  const [one, other] = commits;
  if (one === undefined || other === undefined) throw notFound();
  return { base: one, head: other };
}

async function commonBase(
  directory: string,
  basehead: string,
  sides: { readonly base: Commit; readonly head: Commit },
): Promise<Commit> {
  const sha = await mergeBase(directory, sides.base.sha, sides.head.sha);
  const commit = sha === undefined ? undefined : await readCommit(directory, sha);
  if (commit === undefined) throw new HttpError(404, `No common ancestor between ${basehead.replace('...', ' and ')}.`);
  return commit;
}
