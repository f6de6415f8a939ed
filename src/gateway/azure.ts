import { fixedAccess } from './access.ts';
import type { ModelEndpoint } from './gateway.ts';

/**
 * An Azure OpenAI resource. Without a version it is asked by the `v1` API, where the model named in the request is the deployment;
 * with one, by the dated API, where Chat Completions have the deployment in their path
 * (https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle).
 *
 * @param of.upstream Of the resource: `https://NAME.openai.azure.com`.
 */
export function azureEndpoint(of: {
  readonly upstream: string;
  readonly key: string;
  readonly apiVersion: string | undefined;
}): ModelEndpoint {
  const { upstream, key, apiVersion } = of;
  return {
    protocol: 'openai',
    upstream,
    key: fixedAccess({ 'api-key': key }, [key]),
    locate: {
      needsModel: apiVersion !== undefined,
      path: ({ path }, model) => {
        const below = path.slice('/v1'.length);
        if (apiVersion === undefined) return `/openai/v1${below}`;
        const deployment = below === '/chat/completions' ? `/deployments/${encodeURIComponent(model ?? '')}` : '';
        return `/openai${deployment}${below}?api-version=${encodeURIComponent(apiVersion)}`;
      },
    },
  };
}
