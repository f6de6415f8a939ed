import { z } from 'zod';
import { fromIso, saidIn, wordsOf } from '../conversation-facts.ts';
import type { ConversationFacts, SessionFiles } from '../provider.ts';

const start = z.object({
  type: z.literal('session.start'),
  data: z.object({
    sessionId: z.string(),
    startTime: z.string().optional().catch(undefined),
    context: z
      .object({
        cwd: z.string().optional().catch(undefined),
        repository: z.string().optional().catch(undefined),
      })
      .optional()
      .catch(undefined),
  }),
});
const message = z.object({ type: z.literal('user.message'), data: z.object({ content: z.unknown() }) });

/** A whole conversation of versions before 0.0.342. */
const whole = z.object({
  sessionId: z.string(),
  startTime: z.string().optional().catch(undefined),
  chatMessages: z.array(z.object({ role: z.string().optional(), content: z.unknown() })).catch([]),
});

/**
 * One `session-state/<id>/` a conversation, with its `events.jsonl`; that alone, as `<id>.jsonl`, in older versions, and one `.json`
 * below `history-session-state/` in the first.
 */
export const copilotSessions: SessionFiles = {
  directories: ['.copilot/session-state'],
  without: ['.copilot/session-state/*.lock'],
  elsewhere: true,
  layouts: [
    {
      directory: '.copilot/session-state',
      idOf: (path) => /^([A-Za-z0-9-]+)(?:\/events)?\.jsonl$/.exec(path)?.[1],
      format: 'lines',
      read,
    },
    {
      directory: '.copilot/history-session-state',
      idOf: (path) => /^session_([A-Za-z0-9-]+)_\d+\.json$/.exec(path)?.[1],
      format: 'document',
      read: readWhole,
    },
  ],
};

function read(value: unknown): ConversationFacts {
  const begun = start.safeParse(value).data?.data;
  if (begun !== undefined) {
    const { sessionId: id, startTime, context } = begun;
    return { id, cwd: context?.cwd, remote: context?.repository, startedAt: fromIso(startTime) };
  }
  const said = message.safeParse(value).data?.data.content;
  return { words: wordsOf(saidIn(said)) };
}

function readWhole(value: unknown): ConversationFacts {
  const { data } = whole.safeParse(value);
  if (data === undefined) return {};
  const first = data.chatMessages.find(({ role }) => role === 'user');
  return { id: data.sessionId, startedAt: fromIso(data.startTime), words: wordsOf(saidIn(first?.content)) };
}
