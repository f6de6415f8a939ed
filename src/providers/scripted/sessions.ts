import type { SessionFiles } from '../provider.ts';

/** One `.scripted/<id>.jsonl` a conversation, with a line `{ "prompt": … }` for each prompt it was given. */
export const scriptedSessions: SessionFiles = { directories: ['.scripted'], without: [], elsewhere: true };
