import { z } from 'zod';
import { fromIso, saidIn, wordsOf } from '../conversation-facts.ts';
import type { ConversationFacts, SessionFiles } from '../provider.ts';

const line = z.object({
  type: z.string(),
  sessionId: z.string().optional().catch(undefined),
  cwd: z.string().optional().catch(undefined),
  timestamp: z.string().optional().catch(undefined),
  isSidechain: z.boolean().optional().catch(undefined),
  isMeta: z.boolean().optional().catch(undefined),
  message: z.object({ role: z.string(), content: z.unknown() }).optional().catch(undefined),
});

/**
 * One `projects/<directory, its special characters as dashes>/<id>.jsonl` a conversation. Agents it starts have files of their own,
 * `agent-<id>.jsonl`, which are parts of it. Versions of 2025 also used `~/.config/claude`.
 */
export const claudeSessions: SessionFiles = {
  directories: ['.claude/projects'],
  without: [],
  elsewhere: true,
  layouts: ['.claude/projects', '.config/claude/projects'].map((directory) => ({
    directory,
    idOf: (path) => /^[^/]+\/((?!agent-)[A-Za-z0-9-]+)\.jsonl$/.exec(path)?.[1],
    format: 'lines',
    read,
  })),
};

function read(value: unknown): ConversationFacts {
  const { data } = line.safeParse(value);
  if (data === undefined) return {};
  const said = data.type === 'user' && data.isMeta !== true && data.isSidechain !== true;
  return {
    id: data.sessionId,
    cwd: data.cwd,
    startedAt: fromIso(data.timestamp),
    words: said ? wordsOf(saidIn(data.message?.content)) : undefined,
    part: data.type === 'user' && data.isSidechain === true ? true : undefined,
  };
}
