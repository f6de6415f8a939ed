import { z } from 'zod';
import { fromIso, saidIn, wordsOf } from '../conversation-facts.ts';
import type { ConversationFacts, SessionFiles } from '../provider.ts';

const start = z.object({
  type: z.literal('session_start'),
  id: z.string(),
  cwd: z.string().optional().catch(undefined),
  timestamp: z.string().optional().catch(undefined),
});

const message = z.object({
  type: z.literal('message'),
  timestamp: z.string().optional().catch(undefined),
  message: z.object({ role: z.string(), content: z.unknown() }),
});

/** One `sessions/<directory, its slashes as dashes>/<id>.jsonl` a conversation, with its settings beside it; all in one directory in older versions. */
export const droidSessions: SessionFiles = {
  directories: ['.factory/sessions'],
  without: ['.factory/sessions/*.bak'],
  elsewhere: false,
  layouts: [
    {
      directory: '.factory/sessions',
      idOf: (path) => /^(?:[^/]+\/)?([0-9a-f]{8}-[0-9a-f-]{27})\.jsonl$/.exec(path)?.[1],
      format: 'lines',
      read,
    },
  ],
};

function read(value: unknown): ConversationFacts {
  const begun = start.safeParse(value).data;
  if (begun !== undefined) return { id: begun.id, cwd: begun.cwd, startedAt: fromIso(begun.timestamp) };
  const said = message.safeParse(value).data;
  if (said === undefined) return {};
  const words = said.message.role === 'user' ? wordsOf(saidIn(said.message.content)) : undefined;
  return { startedAt: fromIso(said.timestamp), words };
}
