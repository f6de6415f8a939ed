import { concludeByEnd } from '../conclude.ts';
import type { Provider } from '../provider.ts';
import { claudeCommand } from './command.ts';
import { decodeClaude } from './decode.ts';

/** Claude Code, driven headless. Facts as measured with 2.1.330. */
export const claudeCode: Provider = {
  id: 'claude-code',
  title: 'Claude Code',
  protocol: 'anthropic',
  hosts: [],
  command: claudeCommand,
  decode: decodeClaude,
  conclude: (seen, code) => concludeByEnd(seen, code, 'Claude Code'),
};
