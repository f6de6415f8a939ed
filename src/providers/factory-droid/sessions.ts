import type { SessionFiles } from '../provider.ts';

/** One `sessions/<directory, its slashes as dashes>/<id>.jsonl` a conversation, with its settings beside it. */
export const droidSessions: SessionFiles = {
  directories: ['.factory/sessions'],
  without: ['.factory/sessions/*.bak'],
  elsewhere: false,
};
