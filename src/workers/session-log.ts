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

/** Bytes of the last entries that a full log still gets: how a session ended is what people look for. */
const TAIL = 256 * 1024;

/**
 * A session's log: one JSON line per entry, `{ at, … }`, appended in batches, at most `maxBytes` long. Of what comes after that
 * the last entries are kept, `TAIL` bytes of them at most, behind a line that says how many were left out between.
 */
export class SessionLog implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #maxBytes: number;
  readonly #now: () => number;
  #batch: string[] = [];
  #batched = 0;
  #written = 0;
  #leftOut = 0;
  readonly #tail = new LastLines(TAIL);

  private constructor(file: FileHandle, written: number, maxBytes: number, now: () => number) {
    this.#file = file;
    this.#written = written;
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  static async open(
    file: string,
    options: { readonly maxBytes: number; readonly now: () => number },
  ): Promise<SessionLog> {
    await mkdir(path.dirname(file), { recursive: true });
    const handle = await open(file, 'a', 0o600);
    // What an earlier life of the worker wrote counts, too.
    return new SessionLog(handle, (await handle.stat()).size, options.maxBytes, options.now);
  }

  async write(entry: LogEntry): Promise<void> {
    const line = `${JSON.stringify({ at: this.#now(), ...entry })}\n`;
    if (this.#leftOut > 0 || this.#written + line.length > this.#maxBytes - TAIL) {
      this.#leftOut += 1;
      this.#tail.push(line);
      return;
    }
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
      const last = this.#tail.lines();
      const text = `${this.#leftOut - last.length} entries were left out here: the log is full`;
      this.#batch.push(`${JSON.stringify({ at: this.#now(), type: 'notice', text })}\n`, ...last);
    }
    await this.flush();
    await this.#file.close();
  }
}

/** The last lines pushed, at most `bytes` characters of them, at a constant cost per line. */
class LastLines {
  readonly #half: number;
  #older: readonly string[] = [];
  #newer: string[] = [];
  #length = 0;

  constructor(bytes: number) {
    this.#half = bytes / 2;
  }

  push(line: string): void {
    if (this.#length + line.length > this.#half) {
      this.#older = this.#newer;
      this.#newer = [];
      this.#length = 0;
    }
    if (line.length > this.#half) return;
    this.#newer.push(line);
    this.#length += line.length;
  }

  lines(): readonly string[] {
    return [...this.#older, ...this.#newer];
  }
}
