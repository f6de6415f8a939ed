import type { SessionFiles } from '../provider.ts';

/** One `tmp/<project>/chats/session-<time>-<id>.jsonl` a conversation. */
export const geminiSessions: SessionFiles = {
  directories: ['.gemini/tmp'],
  without: ['.gemini/tmp/*/.project_root', '.gemini/tmp/*/logs/*'],
  elsewhere: false,
};
