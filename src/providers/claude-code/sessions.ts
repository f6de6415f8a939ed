import type { SessionFiles } from '../provider.ts';

/** One `projects/<directory, its special characters as dashes>/<id>.jsonl` a conversation. */
export const claudeSessions: SessionFiles = {
  directories: ['.claude/projects'],
  without: [],
  elsewhere: true,
};
