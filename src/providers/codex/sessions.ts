import type { SessionFiles } from '../provider.ts';

/** One `sessions/<year>/<month>/<day>/rollout-<time>-<id>.jsonl` a conversation; the databases beside it are made anew. */
export const codexSessions: SessionFiles = {
  directories: ['.codex/sessions'],
  without: [],
  elsewhere: true,
};
