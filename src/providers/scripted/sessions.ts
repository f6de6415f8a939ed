import { z } from 'zod';
import { wordsOf } from '../conversation-facts.ts';
import type { SessionFiles } from '../provider.ts';

const line = z.object({ prompt: z.string() });

/** One `.scripted/<id>.jsonl` a conversation, with a line `{ "prompt": … }` for each prompt it was given. */
export const scriptedSessions: SessionFiles = {
  directories: ['.scripted'],
  without: [],
  elsewhere: true,
  layouts: [
    {
      directory: '.scripted',
      idOf: (path) => /^([A-Za-z0-9-]+)\.jsonl$/.exec(path)?.[1],
      format: 'lines',
      read: (value) => ({ words: wordsOf(line.safeParse(value).data?.prompt) }),
    },
  ],
};
