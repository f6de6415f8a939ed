import { z } from 'zod';
import { wordsOf } from '../conversation-facts.ts';
import type { ConversationFacts, SessionFiles } from '../provider.ts';

const info = z.object({
  id: z.string(),
  directory: z.string().optional().catch(undefined),
  parentID: z.string().optional().catch(undefined),
  title: z.string().optional().catch(undefined),
  time: z.object({ created: z.number() }).optional().catch(undefined),
});

const DATA = '.local/share/opencode';

/**
 * One database of all conversations, `opencode.db`, since version 1.2; before that a tree of JSON files below `storage/`, and before
 * that one for each project. Begun in another directory, 1.18.33 hangs over one. Its `auth.json` is never touched.
 */
export const opencodeSessions: SessionFiles = {
  directories: [DATA],
  without: [`${DATA}/snapshot`, `${DATA}/log`, `${DATA}/bin`, `${DATA}/auth.json`],
  elsewhere: false,
  layouts: [
    {
      directory: DATA,
      idOf: (path) => /^(?:project\/[^/]+\/)?storage\/session\/[^/]+\/(ses_[A-Za-z0-9]+)\.json$/.exec(path)?.[1],
      format: 'document',
      read,
    },
  ],
};

function read(value: unknown): ConversationFacts {
  const { data } = info.safeParse(value);
  if (data === undefined) return {};
  return {
    id: data.id,
    cwd: data.directory,
    startedAt: data.time?.created,
    words: wordsOf(data.title),
    part: data.parentID === undefined ? undefined : true,
  };
}
