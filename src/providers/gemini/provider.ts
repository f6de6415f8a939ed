import { concludeByEnd } from '../conclude.ts';
import type { Provider } from '../provider.ts';
import { geminiCommand } from './command.ts';
import { decodeGemini } from './decode.ts';
import { geminiSessions } from './sessions.ts';

/** Google's Gemini CLI, driven headless. Facts as measured with 0.61.0. */
export const gemini: Provider = {
  id: 'gemini',
  title: 'Gemini CLI',
  protocol: 'gemini',
  cli: { package: '@google/gemini-cli', version: '0.61.0' },
  hosts: [],
  usesTools: true,
  sessions: geminiSessions,
  command: geminiCommand,
  decode: decodeGemini,
  conclude: (seen, code, refusal) => concludeByEnd(seen, code, { title: 'Gemini CLI', refusal }),
};
