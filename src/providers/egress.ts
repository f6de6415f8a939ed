import type { AgentTask } from './provider.ts';

/** Where everything that is no model request goes: to the gateway, which lets allow-listed hosts through and counts the others. */
export function egress(task: Pick<AgentTask, 'gatewayUrl'>): Readonly<Record<string, string>> {
  return { HTTPS_PROXY: task.gatewayUrl, HTTP_PROXY: task.gatewayUrl, NO_PROXY: '127.0.0.1,localhost' };
}
