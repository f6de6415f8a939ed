import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { engineAt } from '../src/runners/docker/engine-address.ts';

const execute = promisify(execFile);

/** git by hand, in a directory; gives what it printed. */
export async function git(cwd: string, ...argv: readonly string[]): Promise<string> {
  const { stdout } = await execute('git', ['-C', cwd, ...argv], { env: GIT_ENV, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

const GIT_ENV = {
  ...process.env,
  GIT_AUTHOR_NAME: 'Bench',
  GIT_AUTHOR_EMAIL: 'bench@example.com',
  GIT_COMMITTER_NAME: 'Bench',
  GIT_COMMITTER_EMAIL: 'bench@example.com',
};

/** Runs a command in a container by hand, hardened like ours, and removes it. Gives what it printed on standard output. */
export async function inContainer(
  engine: { readonly dockerHost: string; readonly image: string },
  script: string,
): Promise<string> {
  const docker = new Docker(engineAt(engine.dockerHost));
  const container = await docker.createContainer({
    Image: engine.image,
    Entrypoint: ['/bin/sh', '-c', script],
    Cmd: [],
    Env: ['HOME=/home/agent', 'LANG=C.UTF-8'],
    User: '1000:1000',
    WorkingDir: '/tmp',
    Labels: { 'maestro-bench': '1' },
    AttachStdout: true,
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Tmpfs: { '/tmp': 'rw,exec,mode=1777', '/home/agent': 'rw,exec,uid=1000,gid=1000' },
      PidsLimit: 512,
      Memory: 2 * 1024 ** 3,
      MemorySwap: 2 * 1024 ** 3,
      NanoCpus: 2e9,
      Init: true,
      IpcMode: 'private',
      LogConfig: { Type: 'none', Config: {} },
    },
  });
  try {
    const stream = await container.attach({ stream: true, hijack: true, stdout: true });
    const stdout = new PassThrough();
    docker.modem.demuxStream(stream, stdout, new PassThrough().resume());
    stream.once('end', () => stdout.end());
    const printed = text(stdout);
    await container.start();
    await container.wait();
    return await printed;
  } finally {
    await container.remove({ force: true, v: true });
  }
}

/** A mirror and a working copy of a repository, to do by hand what a task needs of git. */
export interface HandCopy {
  /** Takes one changed file out as a pack, takes that in, makes one commit by plumbing, and pushes it. Milliseconds. */
  commitAndPush(turn: number): Promise<number>;
}

/** Clones a repository from `url` below `directory`. */
export async function handCopy(url: string, directory: string): Promise<HandCopy> {
  const mirror = join(directory, 'mirror.git');
  const copy = join(directory, 'copy');
  await mkdir(directory, { recursive: true });
  await git(directory, 'clone', '--quiet', '--bare', url, mirror);
  await git(directory, 'clone', '--quiet', '--shared', mirror, copy);
  let tip = await git(mirror, 'rev-parse', 'HEAD');
  return {
    commitAndPush: async (turn) => {
      await writeFile(join(copy, 'notes.txt'), `turn ${turn}\n`);
      const began = performance.now();
      await git(copy, 'add', '--all', '.');
      const taken = await git(copy, 'write-tree');
      const pack = `printf '%s\\n^%s\\n' ${taken} ${tip} | git -C '${copy}' pack-objects --revs --thin --stdout --quiet | git -C '${mirror}' index-pack --strict --stdin --fix-thin`;
      await execute('sh', ['-c', pack], { env: GIT_ENV });
      const index = { ...GIT_ENV, GIT_INDEX_FILE: join(mirror, 'bench-index') };
      const plumb = async (...argv: readonly string[]): Promise<string> =>
        (await execute('git', ['-C', mirror, ...argv], { env: index })).stdout.trim();
      await plumb('read-tree', taken);
      const blob = await plumb('hash-object', '-w', join(copy, 'notes.txt'));
      await plumb('update-index', '--add', '--cacheinfo', `100644,${blob},ticked.txt`);
      const tree = await plumb('write-tree');
      const commit = await plumb('commit-tree', tree, '-p', tip, '-m', `Turn ${turn}`);
      await git(mirror, 'push', '--quiet', url, `${commit}:refs/heads/bench-by-hand`);
      const took = performance.now() - began;
      await git(copy, 'reset', '--quiet', '--hard', commit);
      tip = commit;
      return took;
    },
  };
}
