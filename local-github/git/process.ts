import { spawn } from 'node:child_process';
import { devNull } from 'node:os';

/** A git command that ended with another code than 0. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  constructor(command: readonly string[], result: { code: number; stdout: string; stderr: string }) {
    super(`git ${command.join(' ')} ended with ${result.code}: ${result.stderr.trim()}`);
    this.code = result.code;
    this.stdout = result.stdout;
    this.stderr = result.stderr;
  }
}

/** Keeps the machine's own git configuration, hooks and prompts out. */
export const GIT_ENVIRONMENT: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: devNull,
  GIT_TERMINAL_PROMPT: '0',
  LC_ALL: 'C',
};

export interface GitOptions {
  readonly input?: string | Buffer;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Runs git in a bare repository; resolves to its output as text without the final newline. Rejects with `GitError` on another exit
 * code than 0.
 */
export async function git(directory: string, command: readonly string[], options: GitOptions = {}): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = spawn('git', command, {
      cwd: directory,
      env: { PATH: process.env['PATH'], ...GIT_ENVIRONMENT, GIT_DIR: directory, ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A git that ends early closes its stdin: its exit code tells the story, not the broken pipe.
    child.stdin.on('error', () => undefined);
    child.on('error', reject);
    child.on('close', (code) => {
      const output = Buffer.concat(stdout).toString('utf8');
      if (code === 0) resolve(output.replace(/\n$/, ''));
      else
        reject(
          new GitError(command, {
            code: code ?? -1,
            stdout: output,
            stderr: Buffer.concat(stderr).toString('utf8'),
          }),
        );
    });
    child.stdin.end(options.input ?? '');
  });
}

/** The same, where an exit code other than 0 just means no: then undefined. */
export async function tryGit(
  directory: string,
  command: readonly string[],
  options: GitOptions = {},
): Promise<string | undefined> {
  return await unlessRefused(git(directory, command, options));
}

/** Output of a git command; undefined where that ended with another exit code than 0. */
export async function unlessRefused(output: Promise<string>): Promise<string | undefined> {
  try {
    return await output;
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}

const MOST_REMEMBERED = 10_000;
/** Characters of an output that is remembered. */
const LONGEST_REMEMBERED = 64 * 1024;
const remembered = new Map<string, Promise<string>>();

/**
 * The same as `git`, for a command whose output depends on nothing but the objects it names by their whole ids: these never change,
 * so it is run once. What failed, or said much, is run again.
 */
export async function gitOnce(directory: string, command: readonly string[]): Promise<string> {
  const key = [directory, ...command].join('\0');
  const before = remembered.get(key);
  if (before !== undefined) return await before;
  const output = git(directory, command);
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  remembered.set(key, output);
  output.then(
    (text) => text.length > LONGEST_REMEMBERED && remembered.delete(key),
    () => remembered.delete(key),
  );
  return await output;
}
