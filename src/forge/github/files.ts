import { FILE_MODE } from '../../domain/file-mode.ts';
import type { Repository } from '../../domain/repository.ts';
import { ForgeError, type FileContent, type FileEntry } from '../forge.ts';
import type { ForgeContext } from './context.ts';

/** What GitHub's contents API gives inline, and more than any playbook or setting needs. */
const LARGEST_FILE = 1_048_576;

interface TreeEntry {
  readonly path?: string;
  readonly type?: string;
  readonly mode?: string;
  readonly sha?: string | null;
  readonly size?: number;
}

/** Makes the verbs that read a repository's branches and files. */
export function createFiles(context: ForgeContext) {
  const { client } = context;

  async function size(repository: Repository): Promise<number> {
    const { data } = await client.read(repository, 'read the size', (github, at) => github.rest.repos.get({ ...at }));
    // GitHub states it in kilobytes.
    return data.size * 1024;
  }

  async function branchHead(repository: Repository, branch: string): Promise<string | undefined> {
    const reply = await client.find(repository, `read branch ${branch}`, (github, at) =>
      github.rest.git.getRef({ ...at, ref: `heads/${branch}` }),
    );
    return reply?.data.object.sha;
  }

  async function readFile(repository: Repository, path: string, sha: string): Promise<FileContent | undefined> {
    const reply = await client.find(repository, `read ${path} at ${sha}`, (github, at) =>
      github.rest.repos.getContent({ ...at, path, ref: sha }),
    );
    if (reply === undefined || Array.isArray(reply.data) || reply.data.type !== 'file') return undefined;
    const { size, sha: blob } = reply.data;
    if (size > LARGEST_FILE) {
      throw new ForgeError('invalid', `${path} has ${size} bytes; at most ${LARGEST_FILE} are read`);
    }
    return { text: decode(path, Buffer.from(reply.data.content, 'base64')), blob };
  }

  async function listFiles(repository: Repository, directory: string, sha: string): Promise<readonly FileEntry[]> {
    const segments = directory.split('/').filter((segment) => segment !== '');
    let tree = sha;
    for (const segment of segments) {
      const entries = (await readTree(repository, tree, false))?.tree ?? [];
      const next = entries.find((entry) => entry.path === segment && entry.type === 'tree')?.sha;
      if (typeof next !== 'string') return [];
      tree = next;
    }
    return walk(repository, tree, segments.join('/'));
  }

  /** Everything below a tree in one request; where GitHub cuts that short, directory by directory. */
  async function walk(repository: Repository, tree: string, prefix: string): Promise<readonly FileEntry[]> {
    const whole = await readTree(repository, tree, true);
    if (whole === undefined) return [];
    if (!whole.truncated) return whole.tree.flatMap((entry) => toFile(entry, prefix));
    const level = (await readTree(repository, tree, false))?.tree ?? [];
    const files = level.flatMap((entry) => toFile(entry, prefix));
    for (const entry of level) {
      if (entry.type === 'tree' && typeof entry.sha === 'string') {
        files.push(...(await walk(repository, entry.sha, join(prefix, entry.path))));
      }
    }
    return files;
  }

  async function readTree(repository: Repository, tree: string, recursive: boolean) {
    const reply = await client.find(repository, `list files of ${tree}`, (github, at) =>
      github.rest.git.getTree({ ...at, tree_sha: tree, ...(recursive ? { recursive: '1' } : {}) }),
    );
    return reply?.data;
  }

  return { size, branchHead, readFile, listFiles };
}

/** Regular files only: a symbolic link's blob holds a path, not text. */
function toFile(entry: TreeEntry, prefix: string): FileEntry[] {
  if (entry.type !== 'blob' || entry.mode === FILE_MODE.link || typeof entry.sha !== 'string') return [];
  return [{ path: join(prefix, entry.path), blob: entry.sha, size: entry.size ?? 0 }];
}

function join(prefix: string, path = ''): string {
  return prefix === '' ? path : `${prefix}/${path}`;
}

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ForgeError('invalid', `${path} is not UTF-8 text; save it as UTF-8`, { cause });
  }
}
