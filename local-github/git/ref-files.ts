import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { git } from './process.ts';

/**
 * Refs read from, and written to, git's own files (gitrepository-layout(5)): starting git for each question costs more than all else
 * a local GitHub does. What is not a plain ref, such as one that points to another, is left to git.
 */

/** A whole object name. */
export const SHA = /^[0-9a-f]{40}$/;

/** What a full ref (`refs/heads/x`) points to; undefined when it is not there. */
export async function readRef(directory: string, ref: string): Promise<string | undefined> {
  const loose = await textOf(join(directory, ref));
  if (loose === undefined) return (await packedRefs(directory)).get(ref);
  const sha = loose.trimEnd();
  return SHA.test(sha) ? sha : await git(directory, ['rev-parse', '--verify', ref]);
}

/** Points a ref that nobody else moves to a commit that is there. */
export async function writeRef(directory: string, ref: string, sha: string): Promise<void> {
  const file = join(directory, ref);
  await mkdir(dirname(file), { recursive: true });
  // Git does not take what ends like this for a ref.
  await writeFile(`${file}.lock`, `${sha}\n`);
  await rename(`${file}.lock`, file);
}

/** Every ref below `refs/heads` and `refs/tags` with what it points to, sorted by name. */
export async function readRefs(directory: string): Promise<ReadonlyMap<string, string>> {
  const packed = [...(await packedRefs(directory))].filter(([ref]) => /^refs\/(heads|tags)\//.test(ref));
  const loose = [...(await namesBelow(directory, 'refs/heads')), ...(await namesBelow(directory, 'refs/tags'))];
  const read = await Promise.all(loose.map(async (ref) => [ref, await readRef(directory, ref)] as const));
  const found = new Map([...packed, ...read.flatMap(([ref, sha]) => (sha === undefined ? [] : [[ref, sha] as const]))]);
  return new Map([...found].sort(([one], [other]) => (one < other ? -1 : 1)));
}

async function namesBelow(directory: string, below: string): Promise<readonly string[]> {
  const entries = await readdir(join(directory, below), { withFileTypes: true, recursive: true }).catch(nothingThere);
  return (entries ?? [])
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.lock'))
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

async function packedRefs(directory: string): Promise<ReadonlyMap<string, string>> {
  const lines = ((await textOf(join(directory, 'packed-refs'))) ?? '').split('\n');
  return new Map(
    lines.filter((line) => /^[0-9a-f]{40} /.test(line)).map((line) => [line.slice(41), line.slice(0, 40)]),
  );
}

async function textOf(file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch(nothingThere);
}

function nothingThere(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENAMETOOLONG') return undefined;
  throw error;
}
