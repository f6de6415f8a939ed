import { claudeCode } from './claude-code/provider.ts';
import { codex } from './codex/provider.ts';
import { copilot } from './copilot/provider.ts';
import { factoryDroid } from './factory-droid/provider.ts';
import { gemini } from './gemini/provider.ts';
import { providerIds, type ProviderId } from './ids.ts';
import { opencode } from './opencode/provider.ts';
import type { Provider } from './provider.ts';
import { createScripted } from './scripted/provider.ts';

export type Providers = Readonly<Record<ProviderId, Provider>>;

/**
 * Every provider there is. `scriptedAgent` is the path of `scripted-agent.mjs` as a job sees it, which differs between the
 * agent image and the local runner.
 */
export function createProviders(options: { readonly scriptedAgent: string }): Providers {
  return {
    'claude-code': claudeCode,
    codex,
    opencode,
    'factory-droid': factoryDroid,
    gemini,
    copilot,
    scripted: createScripted(options.scriptedAgent),
  };
}

/** The provider called `id`, or undefined. */
export function findProvider(providers: Providers, id: string): Provider | undefined {
  return isProviderId(id) ? providers[id] : undefined;
}

/** Whether `id` names a provider. */
function isProviderId(id: string): id is ProviderId {
  return providerIds.some((known) => known === id);
}
