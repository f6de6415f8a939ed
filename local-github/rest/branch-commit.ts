import { grants } from '../auth/access.ts';
import { timestamp } from '../clock.ts';
import { HttpError, notFound, unprocessable } from '../errors.ts';
import { NO_OBJECT, resolve } from '../git/objects.ts';
import type { RefChange } from '../git/refs.ts';
import { moveRef } from '../git/refs.ts';
import { writeBlob, writeCommit, writeTree } from '../git/write.ts';
import type { Author } from '../hub.ts';
import { noreplyAddress } from '../presenters/git.ts';
import { refChanged } from '../ref-changed.ts';
import type { RepositoryCall } from '../routes.ts';

interface PersonFields {
  readonly name: string;
  readonly email: string;
  readonly date?: string | undefined;
}

/** One file's change, to be a commit on a branch. `content` undefined removes the file. */
export interface BranchCommit {
  readonly actor: Author;
  readonly message: string;
  readonly branch?: string | undefined;
  readonly author?: PersonFields | undefined;
  readonly committer?: PersonFields | undefined;
  readonly edit: { readonly path: string; readonly content: Buffer | undefined };
}

/** Commits one file's change to a branch (the default one unless named) and tells of it. Resolves to the commit's sha. */
export async function commitToBranch(call: RepositoryCall, request: BranchCommit): Promise<string> {
  const { hub, repository, directory } = call;
  const branch = (request.branch ?? repository.defaultBranch).replace(/^refs\/heads\//, '');
  const ref = `refs/heads/${branch}`;
  const tip = await resolve(directory, ref);
  const empty = (await resolve(directory, `refs/heads/${repository.defaultBranch}`)) === undefined;
  if (tip === undefined && !empty) throw notFound(`Branch ${branch} not found`);
  refuseWorkflow(request.actor, request.edit.path);
  refuseProtected(call, ref);
  const blob = request.edit.content === undefined ? undefined : await writeBlob(directory, request.edit.content);
  const tree = await writeTree(directory, tip, [{ path: request.edit.path, blob }]);
  const date = timestamp(hub.clock.now());
  const { account } = request.actor;
  const self = { name: account.login, email: noreplyAddress(account), date };
  const committer = request.committer ?? (request.author === undefined ? undefined : request.author);
  const sha = await writeCommit(directory, {
    tree,
    parents: tip === undefined ? [] : [tip],
    message: request.message,
    author: { ...self, ...withoutUndefined(request.author ?? request.committer) },
    committer: { name: 'GitHub', email: 'noreply@github.com', date, ...withoutUndefined(committer) },
  });
  await changeRef(call, { ref, before: tip ?? NO_OBJECT, after: sha }, request.actor);
  return sha;
}

/** Moves a ref for a caller of REST and lets everything follow. Throws 409 when somebody else moved it meanwhile. */
export async function changeRef(call: RepositoryCall, change: RefChange, author: Author): Promise<void> {
  try {
    await moveRef(call.directory, change);
  } catch (error) {
    throw new HttpError(
      409,
      `${change.ref} could not be updated: ${error instanceof Error ? error.message : 'unknown'}`,
    );
  }
  await refChanged(call.hub, call.repository, change, { author, via: 'rest' });
}

/** Throws 422 for a branch that takes no direct changes. */
export function refuseProtected(call: RepositoryCall, ref: string): void {
  if (!call.repository.protectedBranches.some((branch) => ref === `refs/heads/${branch}`)) return;
  throw unprocessable(`Protected branch update failed for ${ref}.`);
}

function refuseWorkflow(actor: Author, path: string): void {
  if (!path.startsWith('.github/workflows/') || actor.kind !== 'installation') return;
  if (!grants(actor.token.permissions, 'workflows', 'write')) {
    throw new HttpError(403, 'Resource not accessible by integration');
  }
}

function withoutUndefined(person: PersonFields | undefined): Partial<Record<keyof PersonFields, string>> {
  if (person === undefined) return {};
  return { name: person.name, email: person.email, ...(person.date === undefined ? {} : { date: person.date }) };
}
