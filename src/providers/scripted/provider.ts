import { concludeByEnd } from '../conclude.ts';
import { egress } from '../egress.ts';
import type { AgentTask, Provider } from '../provider.ts';
import { decodeScripted } from './decode.ts';
import { scriptedSessions } from './sessions.ts';

/**
 * The provider for development, the demo and the tests: `scripted-agent.mjs`, which needs no model and does the same thing every
 * time. `script` is its path as a job sees it. It may play a second provider, `as` whom it then is known.
 */
export function createScripted(script: string, as = { id: 'scripted', title: 'Scripted agent' }): Provider {
  return {
    ...as,
    protocol: undefined,
    cli: undefined,
    hosts: [],
    sessions: scriptedSessions,
    command: (task) => ({
      argv: ['node', script],
      env: { ...environment(task), MAESTRO_AGENT: as.id },
      stdin: task.prompt,
      files: {},
    }),
    decode: decodeScripted,
    conclude: (seen, code, refusal) => concludeByEnd(seen, code, { title: `The ${as.title.toLowerCase()}`, refusal }),
  };
}

/** What a real agent would get: tests try the wire with it. */
function environment(task: AgentTask): Readonly<Record<string, string>> {
  return {
    ANTHROPIC_BASE_URL: `${task.gatewayUrl}/anthropic`,
    ANTHROPIC_API_KEY: task.placeholderKey,
    ...egress(task),
    MAESTRO_CONVERSATION: task.conversation,
    ...(task.resume === undefined ? {} : { MAESTRO_RESUME: task.resume }),
  };
}
