import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Socket } from 'node:net';
import { GIT_ENVIRONMENT } from './process.ts';

/** What git says of one object. */
export interface ReadObject {
  readonly sha: string;
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** Its bytes where they were asked for. */
  readonly content: Buffer;
}

interface Question {
  readonly withContent: boolean;
  resolve(object: ReadObject | undefined): void;
  reject(error: Error): void;
}

/** Processes that are kept; the one asked least lately goes first. */
const MOST_READERS = 16;
/** How long one is kept that nobody asks. Milliseconds. */
const IDLE_MS = 5_000;

const readers = new Map<string, Reader>();

/**
 * The object a name means, of a repository's directory; undefined when there is none. One git answers all questions about a repository
 * (`git cat-file --batch-command`): starting one for each takes longer than all else a local GitHub does.
 */
export async function readObject(
  directory: string,
  name: string,
  { withContent }: { readonly withContent: boolean },
): Promise<ReadObject | undefined> {
  // It would be read as two questions.
  if (/[\n\0]/.test(name)) return undefined;
  const reader = readers.get(directory) ?? new Reader(directory, () => forget(directory, reader));
  readers.delete(directory);
  readers.set(directory, reader);
  for (const [oldest, other] of readers) {
    if (readers.size <= MOST_READERS) break;
    forget(oldest, other);
    other.close();
  }
  return await reader.ask(name, withContent);
}

function forget(directory: string, reader: Reader): void {
  if (readers.get(directory) === reader) readers.delete(directory);
}

class Reader {
  readonly #git: ChildProcessWithoutNullStreams;
  readonly #questions: Question[] = [];
  readonly #onEnd: () => void;
  #said: Buffer = Buffer.alloc(0);
  #idle: NodeJS.Timeout | undefined;

  constructor(directory: string, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#git = spawn('git', ['cat-file', '--batch-command'], {
      cwd: directory,
      env: { PATH: process.env['PATH'], ...GIT_ENVIRONMENT, GIT_DIR: directory },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#git.stdout.on('data', (chunk: Buffer) => this.#hear(chunk));
    this.#git.stderr.resume();
    this.#git.stdin.on('error', () => undefined);
    this.#git.on('error', (error) => this.#end(error));
    this.#git.on('close', () => this.#end(new Error(`git cat-file in ${directory} ended`)));
  }

  async ask(name: string, withContent: boolean): Promise<ReadObject | undefined> {
    return await new Promise((resolve, reject) => {
      this.#questions.push({ withContent, resolve, reject });
      this.#hold(true);
      this.#git.stdin.write(`${withContent ? 'contents' : 'info'} ${name}\n`);
    });
  }

  /** Lets it end once it has answered. */
  close(): void {
    clearTimeout(this.#idle);
    this.#git.stdin.end();
  }

  #hear(chunk: Buffer): void {
    this.#said = this.#said.length === 0 ? chunk : Buffer.concat([this.#said, chunk]);
    for (let [question] = this.#questions; question !== undefined; [question] = this.#questions) {
      const end = this.#said.indexOf('\n');
      if (end < 0) return;
      const [, sha, type = '', bytes = ''] =
        /^([0-9a-f]{40}) (\w+) (\d+)$/.exec(this.#said.toString('latin1', 0, end)) ?? [];
      const size = Number(bytes);
      // The content ends with a newline of its own.
      const after = end + 1 + (sha !== undefined && question.withContent ? size + 1 : 0);
      if (this.#said.length < after) return;
      const content = Buffer.from(this.#said.subarray(end + 1, Math.max(end + 1, after - 1)));
      this.#said = this.#said.subarray(after);
      this.#questions.shift();
      question.resolve(sha === undefined ? undefined : { sha, type, size, content });
    }
    this.#hold(false);
  }

  /** Whether our own process is kept alive for an answer. */
  #hold(isAsked: boolean): void {
    clearTimeout(this.#idle);
    const { stdin, stdout, stderr } = this.#git;
    // Pipes to a child are sockets (child_process in Node's documentation), whatever their types say.
    const ends: readonly Pick<ChildProcess, 'ref' | 'unref'>[] = [
      this.#git,
      ...([stdin, stdout, stderr] as unknown as Socket[]),
    ];
    for (const end of ends) {
      if (isAsked) end.ref();
      else end.unref();
    }
    if (isAsked) return;
    this.#idle = setTimeout(() => {
      this.#onEnd();
      this.close();
    }, IDLE_MS).unref();
  }

  #end(error: Error): void {
    clearTimeout(this.#idle);
    this.#onEnd();
    for (const question of this.#questions.splice(0)) question.reject(error);
  }
}
