import { concludeByEnd } from '../conclude.ts';
import type { Provider } from '../provider.ts';
import { claudeCommand } from './command.ts';
import { decodeClaude } from './decode.ts';
import { claudeSessions } from './sessions.ts';

/** Claude Code, driven headless. Facts as measured with 2.1.330. */
export const claudeCode: Provider = {
  id: 'claude-code',
  title: 'Claude Code',
  protocol: 'anthropic',
  cli: { package: '@anthropic-ai/claude-code', version: '2.1.330' },
  hosts: [],
  usesTools: true,
  sessions: claudeSessions,
  command: claudeCommand,
  decode: decodeClaude,
  conclude: (seen, code, refusal) => concludeByEnd(seen, code, { title: 'Claude Code', refusal }),
};
