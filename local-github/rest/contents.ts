import { authorOf } from '../auth/access.ts';
import { HttpError, notFound, unprocessable } from '../errors.ts';
import { listTree, objectType, readBlob, readCommit, resolve, resolveCommit } from '../git/objects.ts';
import type { TreeEntry } from '../git/objects.ts';
import { presentContentEntry, presentGitCommit } from '../presenters/git.ts';
import { readBody } from '../request-body.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { commitToBranch } from './branch-commit.ts';
import { z } from 'zod';

const READ = { app: [['contents', 'read']], user: 'read' } as const;
const WRITE = { app: [['contents', 'write']], user: 'write' } as const;

const Person = z.object({ name: z.string(), email: z.string(), date: z.string().optional() });
const Change = z.object({
  message: z.string(),
  sha: z.string().optional(),
  branch: z.string().optional(),
  author: Person.optional(),
  committer: Person.optional(),
});
const Put = Change.extend({ content: z.string() });
const Remove = Change.extend({ sha: z.string() });

// Bigger files come without content; beyond 100 MB not at all.
const MOST_INLINE = 1024 * 1024;

export const contentRoutes: readonly Route[] = [
  onRepository('GET /contents/{path+}', 'repos/get-content', READ, get),
  onRepository('PUT /contents/{path+}', 'repos/create-or-update-file-contents', WRITE, put),
  onRepository('DELETE /contents/{path+}', 'repos/delete-file', WRITE, remove),
];

async function get(call: RepositoryCall): Promise<Reply> {
  const { hub, repository, directory, query } = call;
  const ref = query.get('ref') ?? repository.defaultBranch;
  const path = (call.params['path'] ?? '').replace(/^\/+|\/+$/g, '');
  const commit = await resolveCommit(directory, ref.replace(/^refs\/(heads|tags)\//, ''));
  if (commit === undefined) {
    throw query.has('ref') ? notFound(`No commit found for the ref ${ref}`) : notFound('This repository is empty.');
  }
  const entry = path === '' ? undefined : await entryAt(directory, commit, path);
  if (path === '' || entry?.type === 'tree') {
    const entries = await listTree(directory, path === '' ? commit : `${commit}:${path}`, false);
    const body = entries.map((inner) =>
      presentContentEntry(hub, repository, {
        entry: inner,
        path: path === '' ? inner.path : `${path}/${inner.path}`,
        ref,
      }),
    );
    return { status: 200, body };
  }
  if (entry === undefined) throw notFound();
  return await file(call, { entry, path, ref });
}

async function entryAt(directory: string, commit: string, path: string): Promise<TreeEntry | undefined> {
  const sha = await resolve(directory, `${commit}:${path}`);
  if (sha === undefined) return undefined;
  const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  const entries = await listTree(directory, `${commit}:${parent}`, false);
  return entries.find((entry) => (parent === '' ? entry.path : `${parent}/${entry.path}`) === path);
}

async function file(
  call: RepositoryCall,
  found: { readonly entry: TreeEntry; readonly path: string; readonly ref: string },
): Promise<Reply> {
  const content = await readBlob(call.directory, found.entry.sha);
  if (content === undefined) throw notFound();
  if (/\braw\b/.test(call.headers.accept ?? '')) {
    return { status: 200, raw: { content, type: 'application/vnd.github.raw+json; charset=utf-8' } };
  }
  const inline = content.length <= MOST_INLINE;
  return {
    status: 200,
    body: {
      ...presentContentEntry(call.hub, call.repository, found),
      content: inline ? wrapBase64(content) : '',
      encoding: inline ? 'base64' : 'none',
    },
  };
}

/** Base64 in lines of 60, each with a newline, as GitHub writes it. */
export function wrapBase64(content: Buffer): string {
  return content.toString('base64').replace(/.{1,60}/g, '$&\n');
}

async function put(call: RepositoryCall): Promise<Reply> {
  const { directory } = call;
  const body = readBody(Put, call.body);
  const path = pathToWrite(call);
  const known = await blobOnBranch(call, body.branch, path);
  if (known !== undefined && body.sha === undefined) throw unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.');
  if (known !== undefined && body.sha !== known) throw stale(path, body.sha);
  const content = Buffer.from(body.content, 'base64');
  const commit = await commitToBranch(call, {
    ...body,
    actor: authorOf(call.actor),
    edit: { path, content },
  });
  const entry = await entryAt(directory, commit, path);
  if (entry === undefined) throw new Error(`The file ${path} is not in the commit that was made for it.`);
  return {
    status: known === undefined ? 201 : 200,
    body: {
      content: presentContentEntry(call.hub, call.repository, { entry, path, ref: branchOf(call, body.branch) }),
      commit: await presentNew(call, commit),
    },
  };
}

async function remove(call: RepositoryCall): Promise<Reply> {
  // octokit sends a DELETE's parameters as its body; GitHub takes them from the query too.
  const body = readBody(Remove, call.body ?? Object.fromEntries(call.query));
  const path = pathToWrite(call);
  const known = await blobOnBranch(call, body.branch, path);
  if (known === undefined) throw notFound();
  if (known !== body.sha) throw stale(path, body.sha);
  const commit = await commitToBranch(call, {
    ...body,
    actor: authorOf(call.actor),
    edit: { path, content: undefined },
  });
  return { status: 200, body: { content: null, commit: await presentNew(call, commit) } };
}

function pathToWrite(call: RepositoryCall): string {
  const path = call.params['path'] ?? '';
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git')) {
    throw unprocessable('path contains a malformed path component');
  }
  return path;
}

function branchOf(call: RepositoryCall, branch: string | undefined): string {
  return (branch ?? call.repository.defaultBranch).replace(/^refs\/heads\//, '');
}

async function blobOnBranch(
  call: RepositoryCall,
  branch: string | undefined,
  path: string,
): Promise<string | undefined> {
  const name = `refs/heads/${branchOf(call, branch)}:${path}`;
  const sha = await resolve(call.directory, name);
  return sha !== undefined && (await objectType(call.directory, sha)) === 'blob' ? sha : undefined;
}

function stale(path: string, sha: string | undefined): HttpError {
  return new HttpError(409, `${path} does not match ${sha ?? ''}`);
}

async function presentNew(call: RepositoryCall, sha: string): Promise<unknown> {
  const commit = await readCommit(call.directory, sha);
  if (commit === undefined) throw new Error(`The commit ${sha} is gone although it was just made.`);
  return presentGitCommit(call.hub, call.repository, commit);
}
