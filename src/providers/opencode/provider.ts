import { concludeUnlessError } from '../conclude.ts';
import type { Provider } from '../provider.ts';
import { opencodeCommand } from './command.ts';
import { decodeOpencode } from './decode.ts';
import { opencodeSessions } from './sessions.ts';

/** OpenCode, driven headless. Facts as measured with 1.18.33. */
export const opencode: Provider = {
  id: 'opencode',
  title: 'OpenCode',
  protocol: 'openai',
  cli: { package: 'opencode-ai', version: '1.18.33' },
  hosts: [],
  usesTools: true,
  sessions: opencodeSessions,
  command: opencodeCommand,
  decode: decodeOpencode,
  conclude: (seen, code, refusal) => concludeUnlessError(seen, code, { title: 'OpenCode', refusal }),
};
