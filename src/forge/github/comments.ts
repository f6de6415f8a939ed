import { createHmac } from 'node:crypto';
import type { Repository } from '../../domain/repository.ts';
import { ForgeError } from '../forge.ts';
import type { ForgeContext } from './context.ts';
import { ensure } from './ensure.ts';
import { lastPage } from './pages.ts';

/** GitHub takes 65,536 characters; what is over is cut, so that a long text is better than none. */
const BODY_LENGTH = 65_000;
/** GitHub locks a thread at 2,500 comments. */
const PAGES = 25;
/** 128 bits of the HMAC, in hexadecimal. */
const MAC_LENGTH = 32;

interface Comment {
  readonly id: number;
  readonly body?: string;
  readonly user: { readonly id: number } | null;
}

/** Makes the verb that keeps the one comment with a key in a thread. */
export function createComments(context: ForgeContext) {
  const known = new Map<string, number>();

  async function ensureComment(
    repository: Repository,
    thread: number,
    key: string,
    body: string,
    knownId?: number,
  ): Promise<number> {
    const place = `${repository.id}/${thread}/${key}`;
    return context.serially(`comment/${place}`, async () => {
      const marker = markerFor(context.markerSecret, repository.id, thread, key);
      const text = `${context.redact(body).slice(0, BODY_LENGTH)}\n\n${marker}`;
      let existing: Comment | undefined;
      const id = await ensure({
        pause: (attempt) => context.client.pause(attempt),
        find: async () => {
          existing = await findComment(repository, thread, marker, knownId ?? known.get(place));
          return existing !== undefined && sameText(existing.body, text) ? existing.id : undefined;
        },
        make: async () =>
          existing === undefined ? await create(repository, thread, text) : await edit(repository, existing.id, text),
      });
      known.set(place, id);
      return id;
    });
  }

  async function create(repository: Repository, thread: number, body: string): Promise<number> {
    const { data } = await context.client.write(repository, 'comment', `comment on #${thread}`, (github, at) =>
      github.rest.issues.createComment({ ...at, issue_number: thread, body }),
    );
    return data.id;
  }

  async function edit(repository: Repository, id: number, body: string): Promise<number> {
    await context.client.write(repository, 'comment', `edit comment ${id}`, (github, at) =>
      github.rest.issues.updateComment({ ...at, comment_id: id, body }),
    );
    return id;
  }

  async function findComment(repository: Repository, thread: number, marker: string, knownId: number | undefined) {
    const { bot } = await context.identity(repository);
    const isOurs = (comment: Comment): boolean =>
      comment.user?.id === bot.id && (comment.body ?? '').trimEnd().endsWith(marker);
    if (knownId !== undefined) {
      const comment = await context.client.find(repository, `read comment ${knownId}`, (github, at) =>
        github.rest.issues.getComment({ ...at, comment_id: knownId }),
      );
      // We made it, so it is ours also when somebody edited its last line away.
      if (comment?.data.user?.id === bot.id) return comment.data;
    }
    return search(repository, thread, isOurs);
  }

  /** Newest first: GitHub lists oldest first, so the last page is asked for before those in the middle. */
  async function search(repository: Repository, thread: number, isOurs: (comment: Comment) => boolean) {
    const first = await page(repository, thread, 1);
    for (let number = Math.min(lastPage(first.headers.link), PAGES); number > 1; number--) {
      const found = (await page(repository, thread, number)).data.findLast(isOurs);
      if (found !== undefined) return found;
    }
    return first.data.findLast(isOurs);
  }

  function page(repository: Repository, thread: number, number: number) {
    return context.client.read(repository, `list comments of #${thread}`, (github, at) =>
      github.rest.issues.listComments({ ...at, issue_number: thread, per_page: 100, page: number }),
    );
  }

  return { ensureComment };
}

/**
 * The hidden last line of a comment of ours. Its HMAC binds the key to one thread of one repository, so that a marker copied
 * elsewhere, or made up, marks nothing (threat S48).
 */
export function markerFor(secret: string, repositoryId: number, thread: number, key: string): string {
  if (!/^[\w:./#-]+$/u.test(key) || key.includes('--')) {
    throw new ForgeError(
      'invalid',
      `a comment's key may hold letters, digits and _ : . / # - only, not ${JSON.stringify(key)}`,
    );
  }
  const mac = createHmac('sha256', secret)
    .update(`${repositoryId}\n${thread}\n${key}`)
    .digest('hex')
    .slice(0, MAC_LENGTH);
  return `<!-- maestro:${key} ${mac} -->`;
}

/** GitHub may change line ends and trailing space of what it stores. */
function sameText(stored: string | undefined, wanted: string): boolean {
  return stored?.replaceAll('\r\n', '\n').trimEnd() === wanted.replaceAll('\r\n', '\n').trimEnd();
}
