import type { Readable } from 'node:stream';
import { execa, ExecaError } from 'execa';
import { gitEnvironment } from './environment.ts';

/** What git says, from strerror(3), when it is the machine that failed. */
const MACHINE =
  /No space left on device|Disk quota exceeded|Cannot allocate memory|Too many open files|Input\/output error|Read-only file system|Out of memory/i;

/** A git command of ours failed. The message names the command and what git said, without any credential (none is in argv). */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly stderr: string;
  readonly code: number | undefined;
  /** Whether the machine failed (disk full, no more files, git not started or out of time), not what git was given to do. */
  readonly isMachines: boolean;
  constructor(
    args: readonly string[],
    error: { readonly stderr: string; readonly code: number | undefined },
    cause?: unknown,
  ) {
    const said = error.stderr.trim().split('\n').slice(-3).join(' · ').slice(0, 500);
    super(
      `git ${args[0] ?? ''} failed${error.code === undefined ? '' : ` with exit code ${error.code}`}: ${said || 'it said nothing'}`,
      { cause },
    );
    this.stderr = error.stderr;
    this.code = error.code;
    this.isMachines = error.code === undefined || MACHINE.test(error.stderr);
  }
}

export interface PlumbingOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array | Readable;
  readonly signal?: AbortSignal;
  /** Longest time the command may take; 60 s unless told. */
  readonly timeoutMs?: number;
  /** Longest output kept; 32 MB unless told. */
  readonly maxBuffer?: number;
}

/** Runs git in a bare repository of ours and gives its standard output as text, without the last newline. Throws `GitError`. */
export async function git(gitDir: string, args: readonly string[], options: PlumbingOptions = {}): Promise<string> {
  const output = await gitBytes(gitDir, args, options);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(output);
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

/** The same with its output as bytes, unchanged. */
export async function gitBytes(
  gitDir: string,
  args: readonly string[],
  options: PlumbingOptions = {},
): Promise<Uint8Array> {
  try {
    const result = await execa('git', [`--git-dir=${gitDir}`, ...args], {
      env: gitEnvironment(undefined, options.env),
      extendEnv: false,
      encoding: 'buffer',
      stripFinalNewline: false,
      timeout: options.timeoutMs ?? 60_000,
      maxBuffer: options.maxBuffer ?? 32 * 1024 * 1024,
      ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
      ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    });
    return result.stdout;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const raw: unknown = error.stderr;
    const stderr = raw instanceof Uint8Array ? Buffer.from(raw).toString('utf8') : '';
    throw new GitError(args, { stderr: stderr || error.shortMessage, code: error.exitCode }, error);
  }
}
