import { access, copyFile } from 'node:fs/promises';
import { execa } from 'execa';

/** What a build step needs to reach the npm registry the way this machine does. */
interface RegistryAccess {
  readonly buildArguments: Readonly<Record<string, string>>;
}

/**
 * Finds out how this machine reaches the npm registry. Its extra certificate authorities, if there are any, are copied to
 * `certificatesTo`; a registry other than the usual one becomes a build argument.
 */
export async function registryAccess(certificatesTo: string): Promise<RegistryAccess> {
  const certificates = process.env['NODE_EXTRA_CA_CERTS'] ?? (await npmSetting('cafile'));
  if (certificates !== undefined && (await isReadable(certificates))) await copyFile(certificates, certificatesTo);
  const registry = await npmSetting('registry');
  return { buildArguments: registry === undefined ? {} : { NPM_REGISTRY: registry } };
}

/** Proxy variables of `env`. The engine knows these names and keeps them out of the image and its history. */
export function proxySettings(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

async function npmSetting(name: string): Promise<string | undefined> {
  const { stdout, failed } = await execa('npm', ['config', 'get', name, '--location=user'], { reject: false });
  const value = stdout.trim();
  return failed || value === '' || value === 'null' || value === 'undefined' ? undefined : value;
}

async function isReadable(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
