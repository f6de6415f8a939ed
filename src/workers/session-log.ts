import { mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { AgentEvent } from '../domain/event.ts';

/** What stands in a session's log beside the agent's own events. */
export type LogEntry =
  | AgentEvent
  | { readonly type: 'prompt'; readonly text: string }
  | { readonly type: 'stderr'; readonly line: string }
  | { readonly type: 'stage'; readonly name: string; readonly detail: string };

/** Bytes gathered before they are written: a write per line costs five times as much as batches of this size. */
const BATCH = 64 * 1024;

/**
 * A session's log: one JSON line per entry, `{ at, … }`, appended in batches, at most `maxBytes` long; what comes after that is
 * counted, and the count is the last line.
 */
export class SessionLog implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #maxBytes: number;
  readonly #now: () => number;
  #batch: string[] = [];
  #batched = 0;
  #written = 0;
  #leftOut = 0;

  private constructor(file: FileHandle, maxBytes: number, now: () => number) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  static async open(
    file: string,
    options: { readonly maxBytes: number; readonly now: () => number },
  ): Promise<SessionLog> {
    await mkdir(path.dirname(file), { recursive: true });
    return new SessionLog(await open(file, 'a', 0o600), options.maxBytes, options.now);
  }

  async write(entry: LogEntry): Promise<void> {
    if (this.#written >= this.#maxBytes) {
      this.#leftOut += 1;
      return;
    }
    const line = `${JSON.stringify({ at: this.#now(), ...entry })}\n`;
    this.#written += line.length;
    this.#batched += line.length;
    this.#batch.push(line);
    if (this.#batched >= BATCH) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const text = this.#batch.join('');
    this.#batch = [];
    this.#batched = 0;
    await this.#file.appendFile(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#leftOut > 0) {
      this.#batch.push(
        `${JSON.stringify({ at: this.#now(), type: 'notice', text: `${this.#leftOut} more entries were left out: the log is full` })}\n`,
      );
    }
    await this.flush();
    await this.#file.close();
  }
}
