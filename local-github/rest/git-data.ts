import { z } from 'zod';
import { authorOf } from '../auth/access.ts';
import { HttpError, notFound, unprocessable } from '../errors.ts';
import {
  isAncestor,
  listTree,
  NO_OBJECT,
  objectType,
  readBlob,
  readCommit,
  resolve,
  resolveCommit,
} from '../git/objects.ts';
import { readRefs, SHA } from '../git/ref-files.ts';
import { tryGit } from '../git/process.ts';
import { paginate } from '../pages.ts';
import { nodeId } from '../presenters/node-id.ts';
import { presentGitCommit, presentRef, presentTreeEntry } from '../presenters/git.ts';
import { repositoryUrl } from '../presenters/repository.ts';
import { readBody } from '../request-body.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { changeRef, refuseProtected } from './branch-commit.ts';
import { wrapBase64 } from './contents.ts';

const READ = { app: [['contents', 'read']], user: 'read' } as const;
const WRITE = { app: [['contents', 'write']], user: 'write' } as const;

const CreateRef = z.object({ ref: z.string(), sha: z.string() });
const UpdateRef = z.object({ sha: z.string(), force: z.boolean().optional() });

// GitHub's limits for one recursive tree.
const MOST_ENTRIES = 100_000;

export const gitDataRoutes: readonly Route[] = [
  onRepository('GET /git/ref/{ref+}', 'git/get-ref', READ, getRef),
  onRepository('GET /git/matching-refs/{ref+}', 'git/list-matching-refs', READ, matchingRefs),
  onRepository('POST /git/refs', 'git/create-ref', WRITE, createRef),
  onRepository('PATCH /git/refs/{ref+}', 'git/update-ref', WRITE, updateRef),
  onRepository('DELETE /git/refs/{ref+}', 'git/delete-ref', WRITE, deleteRef),
  onRepository('GET /git/commits/{commit_sha}', 'git/get-commit', READ, getCommit),
  onRepository('GET /git/blobs/{file_sha}', 'git/get-blob', READ, getBlob),
  onRepository('GET /git/trees/{tree_sha}', 'git/get-tree', READ, getTree),
];

/** Throws 409 for a repository without commits, as GitHub's git database does. */
export async function refuseEmpty(call: RepositoryCall): Promise<void> {
  if ((await readRefs(call.directory)).size === 0) throw new HttpError(409, 'Git Repository is empty.');
}

async function present(call: RepositoryCall, name: string, sha: string): Promise<unknown> {
  const type = (await objectType(call.directory, sha)) ?? 'commit';
  return presentRef(call.hub, call.repository, { name, sha, type });
}

async function getRef(call: RepositoryCall): Promise<Reply> {
  await refuseEmpty(call);
  const name = `refs/${call.params['ref'] ?? ''}`;
  const sha = (await readRefs(call.directory)).get(name);
  if (sha === undefined) throw notFound();
  return { status: 200, body: await present(call, name, sha) };
}

async function matchingRefs(call: RepositoryCall): Promise<Reply> {
  const prefix = `refs/${call.params['ref'] ?? ''}`;
  const found = [...(await readRefs(call.directory))].filter(([name]) => name.startsWith(prefix));
  const presented = await Promise.all(found.map(async ([name, sha]) => await present(call, name, sha)));
  return paginate(call, presented, (ref) => ref);
}

async function createRef(call: RepositoryCall): Promise<Reply> {
  await refuseEmpty(call);
  const { directory } = call;
  const body = readBody(CreateRef, call.body);
  if (!/^refs\/[^/]+\/.+/.test(body.ref) || (await tryGit(directory, ['check-ref-format', body.ref])) === undefined) {
    throw unprocessable(
      "Reference name must start with 'refs/' and have at least two slashes, and be a well-formed name for git.",
    );
  }
  if ((await objectType(directory, body.sha)) === undefined) throw unprocessable('Object does not exist');
  if ((await resolve(directory, body.ref)) !== undefined) throw unprocessable('Reference already exists');
  await changeRef(call, { ref: body.ref, before: NO_OBJECT, after: body.sha }, authorOf(call.actor));
  return {
    status: 201,
    body: await present(call, body.ref, body.sha),
    headers: { location: `${repositoryUrl(call.hub, call.repository)}/git/${body.ref}` },
  };
}

async function updateRef(call: RepositoryCall): Promise<Reply> {
  const { directory } = call;
  const body = readBody(UpdateRef, call.body);
  const ref = `refs/${call.params['ref'] ?? ''}`;
  const before = (await readRefs(directory)).get(ref);
  if (before === undefined) throw unprocessable('Reference does not exist');
  if ((await objectType(directory, body.sha)) === undefined) throw unprocessable('Object does not exist');
  if (body.force !== true && !(await isAncestor(directory, before, body.sha))) {
    throw unprocessable('Update is not a fast forward');
  }
  refuseProtected(call, ref);
  if (before !== body.sha) await changeRef(call, { ref, before, after: body.sha }, authorOf(call.actor));
  return { status: 200, body: await present(call, ref, body.sha) };
}

async function deleteRef(call: RepositoryCall): Promise<Reply> {
  const ref = `refs/${call.params['ref'] ?? ''}`;
  const before = (await readRefs(call.directory)).get(ref);
  if (before === undefined) throw unprocessable('Reference does not exist');
  if (ref === `refs/heads/${call.repository.defaultBranch}`) throw unprocessable('Cannot delete the default branch');
  refuseProtected(call, ref);
  await changeRef(call, { ref, before, after: NO_OBJECT }, authorOf(call.actor));
  return { status: 204 };
}

async function getCommit(call: RepositoryCall): Promise<Reply> {
  await refuseEmpty(call);
  const sha = call.params['commit_sha'] ?? '';
  const commit = SHA.test(sha) ? await readCommit(call.directory, sha) : undefined;
  if (commit === undefined) throw notFound();
  return { status: 200, body: presentGitCommit(call.hub, call.repository, commit) };
}

async function getBlob(call: RepositoryCall): Promise<Reply> {
  const sha = call.params['file_sha'] ?? '';
  const content = await readBlob(call.directory, sha);
  if (content === undefined) throw notFound();
  if (/\braw\b/.test(call.headers.accept ?? '')) {
    return { status: 200, raw: { content, type: 'application/vnd.github.raw+json; charset=utf-8' } };
  }
  return {
    status: 200,
    body: {
      sha,
      node_id: nodeId('blob', `${call.repository.id}:${sha}`),
      size: content.length,
      url: `${repositoryUrl(call.hub, call.repository)}/git/blobs/${sha}`,
      content: wrapBase64(content),
      encoding: 'base64',
    },
  };
}

async function getTree(call: RepositoryCall): Promise<Reply> {
  await refuseEmpty(call);
  const { directory, hub, repository } = call;
  const name = call.params['tree_sha'] ?? '';
  const commit = await resolveCommit(directory, name);
  const tree = await resolve(directory, `${commit ?? name}^{tree}`);
  if (tree === undefined) throw notFound();
  const entries = await listTree(directory, tree, call.query.has('recursive'));
  return {
    status: 200,
    body: {
      sha: tree,
      url: `${repositoryUrl(hub, repository)}/git/trees/${tree}`,
      tree: entries.slice(0, MOST_ENTRIES).map((entry) => presentTreeEntry(hub, repository, entry)),
      truncated: entries.length > MOST_ENTRIES,
    },
  };
}
