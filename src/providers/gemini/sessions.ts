import { z } from 'zod';
import { fromIso, saidIn, wordsOf } from '../conversation-facts.ts';
import type { ConversationFacts, SessionFiles, SessionLayout } from '../provider.ts';

const head = z.object({
  sessionId: z.string(),
  startTime: z.string().optional().catch(undefined),
  kind: z.string().optional().catch(undefined),
});
const message = z.object({ type: z.string(), content: z.unknown() });
const update = z.object({ $set: z.object({ messages: z.array(z.unknown()) }) });
const whole = head.extend({ messages: z.array(z.unknown()) });

/** The file's name ends with the first 8 digits of the id only. */
const CHAT = /^[^/]+\/chats\/session-[0-9T-]+-([0-9a-f]{8})\.(jsonl|json)$/;

/**
 * One `tmp/<project>/chats/session-<time>-<id>.jsonl` a conversation, or one `.json` in older versions. A project is a name that
 * `projects.json` gives to a directory, or the directory's hash.
 */
export const geminiSessions: SessionFiles = {
  directories: ['.gemini/tmp'],
  without: ['.gemini/tmp/*/.project_root', '.gemini/tmp/*/logs/*'],
  elsewhere: false,
  layouts: (['jsonl', 'json'] as const).map((ending): SessionLayout => ({
    directory: '.gemini/tmp',
    idOf: (path) => {
      const [, id, found] = CHAT.exec(path) ?? [];
      return found === ending ? id : undefined;
    },
    cwdFile: '../.project_root',
    format: ending === 'json' ? 'document' : 'lines',
    read,
  })),
};

function read(value: unknown): ConversationFacts {
  const all = whole.safeParse(value).data ?? update.safeParse(value).data?.$set;
  const begun = head.safeParse(value).data;
  const words = [value, ...(all?.messages ?? [])].map(said).find((found) => found !== undefined);
  return {
    id: begun?.sessionId,
    startedAt: fromIso(begun?.startTime),
    words,
    part: begun?.kind === 'subagent' ? true : undefined,
  };
}

function said(value: unknown): string | undefined {
  const { data } = message.safeParse(value);
  return data?.type === 'user' ? wordsOf(saidIn(data.content)) : undefined;
}
