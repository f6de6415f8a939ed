import { createHash } from 'node:crypto';
import { ConfigError, type Config } from '../config.ts';
import { systemClock } from '../domain/clock.ts';
import type { Cloud } from '../domain/cloud.ts';
import { fixedAccess } from '../gateway/access.ts';
import { awsAccess, awsCredentialsFile } from '../gateway/aws-access.ts';
import { azureEndpoint } from '../gateway/azure.ts';
import type { ModelEndpoint } from '../gateway/gateway.ts';
import { googleAccess } from '../gateway/google-access.ts';
import { loginAccess } from '../gateway/login-access.ts';
import { CLAUDE_LOGIN, CODEX_LOGIN } from '../gateway/login-file.ts';
import type { ModelProtocol } from '../providers/provider.ts';

/** The operator's endpoints by what providers speak; those without credentials are not there. */
export type ModelEndpoints = Readonly<Partial<Record<ModelProtocol, ModelEndpoint>>>;

/**
 * The model endpoints the operator configured. Made once: renewed tokens are kept in them.
 *
 * @throws ConfigError when an endpoint is asked for that lacks something.
 */
export function modelEndpoints(config: Config): ModelEndpoints {
  const anthropic = anthropicEndpoint(config);
  const openai = openAiEndpoint(config);
  const gemini = keyEndpoint('gemini', config.GEMINI_BASE_URL, config.GEMINI_API_KEY);
  return {
    ...(anthropic === undefined ? {} : { anthropic }),
    ...(openai === undefined ? {} : { openai }),
    ...(gemini === undefined ? {} : { gemini }),
  };
}

/** The endpoint a provider that speaks `protocol` is given, or undefined when no credentials are configured for it. */
export function modelEndpoint(config: Config, protocol: ModelProtocol): ModelEndpoint | undefined {
  return modelEndpoints(config)[protocol];
}

/** An endpoint at `upstream` that is given a plain key; undefined without one. */
export function keyEndpoint(
  protocol: ModelProtocol,
  upstream: string,
  key: string | undefined,
): ModelEndpoint | undefined {
  return key === undefined ? undefined : { protocol, upstream, key, name: nameOf(upstream, key) };
}

function anthropicEndpoint(config: Config): ModelEndpoint | undefined {
  switch (config.ANTHROPIC_ENDPOINT) {
    case 'api':
      return keyEndpoint('anthropic', config.ANTHROPIC_BASE_URL, config.ANTHROPIC_API_KEY);
    case 'bedrock':
      return bedrockEndpoint(config);
    case 'vertex':
      return vertexEndpoint(config);
    case 'subscription': {
      const path = needed(config, 'CLAUDE_LOGIN_PATH', 'ANTHROPIC_ENDPOINT=subscription');
      return {
        protocol: 'anthropic',
        upstream: config.ANTHROPIC_BASE_URL,
        key: loginAccess({
          kind: CLAUDE_LOGIN,
          path,
          clock: systemClock,
          ...(config.CLAUDE_TOKEN_URL === undefined ? {} : { tokenUrl: config.CLAUDE_TOKEN_URL }),
        }),
        name: nameOf(config.ANTHROPIC_BASE_URL, path),
      };
    }
  }
}

function bedrockEndpoint(config: Config): ModelEndpoint {
  const region = needed(config, 'AWS_REGION', 'ANTHROPIC_ENDPOINT=bedrock');
  const upstream = config.BEDROCK_BASE_URL ?? `https://bedrock-runtime.${region}.amazonaws.com`;
  const { AWS_BEARER_TOKEN_BEDROCK: token, AWS_CREDENTIALS_PATH: path } = config;
  const of = { protocol: 'bedrock', upstream, cloud: { kind: 'bedrock', region } } as const;
  if (token !== undefined) {
    const key = fixedAccess({ authorization: `Bearer ${token}` }, [token]);
    return { ...of, key, name: nameOf(upstream, token) };
  }
  if (path !== undefined) {
    const credentials = awsCredentialsFile(path, systemClock);
    return { ...of, key: awsAccess({ region, credentials, clock: systemClock }), name: nameOf(upstream, path) };
  }
  const accessKeyId = needed(config, 'AWS_ACCESS_KEY_ID', 'ANTHROPIC_ENDPOINT=bedrock');
  const secretAccessKey = needed(config, 'AWS_SECRET_ACCESS_KEY', 'ANTHROPIC_ENDPOINT=bedrock');
  const { AWS_SESSION_TOKEN: sessionToken } = config;
  const fixed = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  const key = awsAccess({ region, credentials: async () => fixed, clock: systemClock });
  return { ...of, key, name: nameOf(upstream, accessKeyId) };
}

function vertexEndpoint(config: Config): ModelEndpoint {
  const project = needed(config, 'VERTEX_PROJECT', 'ANTHROPIC_ENDPOINT=vertex');
  const path = needed(config, 'GOOGLE_APPLICATION_CREDENTIALS', 'ANTHROPIC_ENDPOINT=vertex');
  const region = config.VERTEX_REGION;
  const host = region === 'global' ? 'aiplatform.googleapis.com' : `${region}-aiplatform.googleapis.com`;
  const upstream = config.VERTEX_BASE_URL ?? `https://${host}`;
  const cloud: Cloud = { kind: 'vertex', region, project };
  const name = nameOf(upstream, `${project} ${path}`);
  return { protocol: 'vertex', upstream, cloud, key: googleAccess(path, systemClock), name };
}

function openAiEndpoint(config: Config): ModelEndpoint | undefined {
  switch (config.OPENAI_ENDPOINT) {
    case 'api':
      return keyEndpoint('openai', config.OPENAI_BASE_URL, config.OPENAI_API_KEY);
    case 'azure': {
      const upstream = needed(config, 'AZURE_OPENAI_ENDPOINT', 'OPENAI_ENDPOINT=azure');
      const key = needed(config, 'AZURE_OPENAI_API_KEY', 'OPENAI_ENDPOINT=azure');
      const made = azureEndpoint({ upstream, key, apiVersion: config.AZURE_OPENAI_API_VERSION });
      return { ...made, name: nameOf(upstream, key) };
    }
    case 'subscription': {
      const path = needed(config, 'CODEX_LOGIN_PATH', 'OPENAI_ENDPOINT=subscription');
      const upstream = config.CHATGPT_BASE_URL;
      return {
        protocol: 'openai',
        upstream,
        key: loginAccess({
          kind: CODEX_LOGIN,
          path,
          clock: systemClock,
          ...(config.CODEX_TOKEN_URL === undefined ? {} : { tokenUrl: config.CODEX_TOKEN_URL }),
        }),
        name: nameOf(upstream, path),
        locate: { needsModel: false, path: (route) => route.path.slice('/v1'.length) + route.query },
      };
    }
  }
}

function needed(config: Config, key: keyof Config, by: string): string {
  const value = config[key];
  if (typeof value === 'string') return value;
  throw new ConfigError(`${by} needs ${key}, which is not set.`);
}

/** Tells a key from others without telling it: 48 bits of a hash of a secret with at least as many. */
function nameOf(upstream: string, key: string): string {
  return createHash('sha256').update(`${upstream} ${key}`).digest('hex').slice(0, 12);
}
