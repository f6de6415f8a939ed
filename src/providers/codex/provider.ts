import { concludeByEnd } from '../conclude.ts';
import type { Provider } from '../provider.ts';
import { codexCommand } from './command.ts';
import { decodeCodex } from './decode.ts';
import { codexSessions } from './sessions.ts';

/** OpenAI's Codex CLI, driven headless. Facts as measured with 0.169.0. */
export const codex: Provider = {
  id: 'codex',
  title: 'Codex',
  protocol: 'openai',
  cli: { package: '@openai/codex', version: '0.169.0' },
  hosts: [],
  usesTools: true,
  sessions: codexSessions,
  command: codexCommand,
  decode: decodeCodex,
  conclude: (seen, code, refusal) => concludeByEnd(seen, code, { title: 'Codex', refusal }),
};
