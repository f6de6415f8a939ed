import { concludeUnlessError } from '../conclude.ts';
import type { Provider } from '../provider.ts';
import { copilotCommand } from './command.ts';
import { decodeCopilot } from './decode.ts';
import { copilotSessions } from './sessions.ts';

/** GitHub Copilot CLI, driven headless with a model of the operator's own. Facts as measured with 1.0.102. */
export const copilot: Provider = {
  id: 'copilot',
  title: 'Copilot CLI',
  protocol: 'openai',
  cli: { package: '@github/copilot', version: '1.0.102' },
  hosts: [],
  usesTools: true,
  sessions: copilotSessions,
  command: copilotCommand,
  decode: decodeCopilot,
  conclude: (seen, code, refusal) => concludeUnlessError(seen, code, { title: 'Copilot CLI', refusal }),
};
