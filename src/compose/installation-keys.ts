import type { Config } from '../config.ts';
import type { ModelEndpoint } from '../gateway/gateway.ts';
import type { ModelProtocol } from '../providers/provider.ts';
import { createSealer, type Sealer } from '../store/sealing.ts';
import { SealError, type Store } from '../store/store.ts';
import { keyEndpoint, modelEndpoints } from './model-endpoint.ts';

/** The sealer of stored keys; undefined when the operator has set no secret for it. */
export function sealerOf(config: Config): Sealer | undefined {
  const { MAESTRO_KEYS_SECRET: secret, MAESTRO_KEYS_SECRET_BEFORE: before } = config;
  if (secret === undefined) return undefined;
  return createSealer(before === undefined ? [secret] : [secret, before]);
}

/**
 * Finds endpoints for the repositories of an installation: its own key goes before the operator's. Rejects with `SealError` when the
 * installation has a key that can't be opened: the operator's is not used instead, since nobody would know who pays.
 *
 * @param secrets Gets every key that is opened.
 * @throws ConfigError as `modelEndpoints` does.
 */
export function createEndpointFinder(
  config: Config,
  store: Pick<Store, 'findKey'>,
  secrets: Set<string>,
): (protocol: ModelProtocol, of: { readonly installationId: number }) => Promise<ModelEndpoint | undefined> {
  const operators = modelEndpoints(config);
  const sealer = sealerOf(config);
  const upstream = {
    anthropic: config.ANTHROPIC_BASE_URL,
    openai: config.OPENAI_BASE_URL,
    gemini: config.GEMINI_BASE_URL,
  };
  return async (protocol, { installationId }) => {
    const stored = await store.findKey(installationId, protocol);
    if (stored === undefined) return operators[protocol];
    if (sealer === undefined)
      throw new SealError(
        `The ${protocol} key of installation ${installationId} is sealed, and MAESTRO_KEYS_SECRET is not set where the worker runs.`,
      );
    const key = sealer.open(stored.sealed, stored);
    secrets.add(key);
    return keyEndpoint(protocol, upstream[protocol], key);
  };
}
