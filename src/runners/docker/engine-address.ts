import type Docker from 'dockerode';

/**
 * How to reach the engine that a `DOCKER_HOST` names: `unix:///path` or `tcp://host:port`. Anything else (none, ssh, TLS) is left
 * to dockerode, which reads the environment itself.
 */
export function engineAt(host: string | undefined): Docker.DockerOptions {
  if (host?.startsWith('unix://') === true) return { socketPath: host.slice('unix://'.length) };
  if (host?.startsWith('tcp://') !== true || process.env['DOCKER_TLS_VERIFY']) return {};
  const { hostname, port } = new URL(host);
  return { host: hostname, port: Number(port || 2375), protocol: 'http' };
}
