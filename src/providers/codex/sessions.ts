import { z } from 'zod';
import { fromIso, saidIn, wordsOf } from '../conversation-facts.ts';
import type { ConversationFacts, SessionFiles, SessionLayout } from '../provider.ts';

const git = z
  .object({ repository_url: z.string().optional().catch(undefined) })
  .nullish()
  .catch(undefined);

/** What the first line tells: wrapped as `payload` since version 0.32, bare before. */
const meta = z.object({
  id: z.string(),
  timestamp: z.string().optional().catch(undefined),
  cwd: z.string().optional().catch(undefined),
  git,
});

const wrapped = z.object({ type: z.string(), payload: z.unknown() });
const message = z.object({ type: z.literal('message'), role: z.string(), content: z.unknown() });
const item = z.object({ type: z.literal('user_message'), message: z.string() });

/** The whole file before there were lines. */
const whole = z.object({ session: meta, items: z.array(z.unknown()) });

const ROLLOUT = /(?:^|\/)rollout-[0-9T:-]+?-([0-9a-f]{8}-[0-9a-f-]{27})\.(jsonl|json)$/;

/**
 * One `sessions/<year>/<month>/<day>/rollout-<time>-<id>.jsonl` a conversation, without the directories or as one `.json` in the
 * first versions; the databases beside it are made anew.
 */
export const codexSessions: SessionFiles = {
  directories: ['.codex/sessions'],
  without: [],
  elsewhere: true,
  layouts: ['.codex/sessions', '.codex/archived_sessions'].flatMap((directory): SessionLayout[] => [
    { directory, idOf: (path) => idIn(path, 'jsonl'), format: 'lines', read },
    { directory, idOf: (path) => idIn(path, 'json'), format: 'document', read: readWhole },
  ]),
};

function idIn(path: string, ending: string): string | undefined {
  const [, id, found] = ROLLOUT.exec(path) ?? [];
  return found === ending ? id : undefined;
}

function read(value: unknown): ConversationFacts {
  const line = wrapped.safeParse(value).data;
  const payload = line?.payload ?? value;
  if (line === undefined || line.type === 'session_meta') {
    const first = meta.safeParse(payload).data;
    if (first !== undefined) return factsOf(first);
  }
  const typed = item.safeParse(payload).data?.message;
  if (typed !== undefined) return { words: wordsOf(typed) };
  const said = message.safeParse(payload).data;
  return said?.role === 'user' ? { words: wordsOf(saidIn(said.content)) } : {};
}

function readWhole(value: unknown): ConversationFacts {
  const { data } = whole.safeParse(value);
  if (data === undefined) return {};
  const words = data.items.map((one) => read(one).words).find((found) => found !== undefined);
  return { ...factsOf(data.session), words };
}

function factsOf({ id, timestamp, cwd, git }: z.infer<typeof meta>): ConversationFacts {
  return { id, cwd, remote: git?.repository_url, startedAt: fromIso(timestamp) };
}
