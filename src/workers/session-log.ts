import { mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { AgentEvent } from '../domain/event.ts';

/** What stands in a session's log beside the agent's own events. */
export type LogEntry =
  | AgentEvent
  | { readonly type: 'prompt'; readonly text: string }
  | { readonly type: 'stderr'; readonly line: string }
  | { readonly type: 'stage'; readonly name: string; readonly detail: string };

export interface SessionLogOptions {
  readonly maxBytes: number;
  readonly now: () => number;
  /** Told once when something could not be written. */
  readonly onBroken?: (error: unknown) => void;
}

/** Bytes gathered before they are written: a write per line costs five times as much as batches of this size. */
const BATCH = 64 * 1024;

/**
 * A session's log: one JSON line per entry, `{ at, … }`, appended in batches, at most `maxBytes` long; what comes after that is
 * counted, and the count is the last line. A log that can't be written is no reason to stop a session: what does not get to the
 * disk is counted as well, and writing goes on once it can.
 */
export class SessionLog implements AsyncDisposable {
  readonly #path: string;
  readonly #options: SessionLogOptions;
  #file: FileHandle | undefined;
  #isBroken = false;
  #batch: string[] = [];
  #batched = 0;
  #written = 0;
  #leftOut = 0;

  private constructor(file: string, options: SessionLogOptions) {
    this.#path = file;
    this.#options = options;
  }

  static async open(file: string, options: SessionLogOptions): Promise<SessionLog> {
    const log = new SessionLog(file, options);
    await log.#append('', 0);
    return log;
  }

  async write(entry: LogEntry): Promise<void> {
    if (this.#written >= this.#options.maxBytes) {
      this.#leftOut += 1;
      return;
    }
    const line = `${JSON.stringify({ at: this.#options.now(), ...entry })}\n`;
    this.#written += line.length;
    this.#batched += line.length;
    this.#batch.push(line);
    if (this.#batched >= BATCH) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#batched = 0;
    await this.#append(batch.join(''), batch.length);
  }

  /** Appends what it can; entries that can't be written count as left out. */
  async #append(text: string, entries: number): Promise<void> {
    try {
      this.#file ??= await openFile(this.#path);
      await this.#file.appendFile(text);
    } catch (error) {
      this.#leftOut += entries;
      if (!this.#isBroken) this.#options.onBroken?.(error);
      this.#isBroken = true;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#leftOut > 0) {
      this.#batch.push(
        `${JSON.stringify({ at: this.#options.now(), type: 'notice', text: `${this.#leftOut} more entries were left out: the log, or its disk, is full` })}\n`,
      );
    }
    await this.flush();
    await this.#file?.close().catch(() => undefined);
  }
}

async function openFile(file: string): Promise<FileHandle> {
  await mkdir(path.dirname(file), { recursive: true });
  return await open(file, 'a', 0o600);
}
