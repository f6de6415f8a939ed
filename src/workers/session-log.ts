import { mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { AgentEvent } from '../domain/event.ts';
import type { Word } from '../domain/talk.ts';
import type { Check } from '../domain/evidence.ts';

/** What stands in a session's log beside the agent's own events. */
export type LogEntry =
  | AgentEvent
  | { readonly type: 'prompt'; readonly text: string }
  | { readonly type: 'word'; readonly word: Word }
  | { readonly type: 'stderr'; readonly line: string }
  /** A line that a command printed which people had run. */
  | { readonly type: 'output'; readonly line: string }
  | { readonly type: 'stage'; readonly name: string; readonly detail: string }
  /** A check the engine ran on the work, with the last of what it printed. */
  | ({ readonly type: 'check' } & Check);

export interface SessionLogOptions {
  readonly maxBytes: number;
  readonly now: () => number;
  /** Told once when something could not be written. */
  readonly onBroken?: (error: unknown) => void;
}

/** Bytes gathered before they are written: a write per line costs five times as much as batches of this size. */
const BATCH = 64 * 1024;

const COMMA = 0x2c;
const NEWLINE = 0x0a;

/** Bytes of the last entries that a full log still gets: how a session ended is what people look for. */
const TAIL = 256 * 1024;

/**
 * A session's log: one JSON line per entry, `{ at, … }`, appended in batches, at most `maxBytes` long. Of what comes after that
 * the last entries are kept, `TAIL` bytes of them at most, behind a line that says how many were left out between. A log that
 * can't be written is no reason to stop a session: what does not get to the disk is counted as well, and writing goes on once it
 * can.
 */
export class SessionLog implements AsyncDisposable {
  readonly #path: string;
  readonly #options: SessionLogOptions;
  readonly #tail = new LastLines(TAIL);
  #file: FileHandle | undefined;
  #isBroken = false;
  #writing: Promise<void> = Promise.resolve();
  #batch = Buffer.allocUnsafe(BATCH);
  #filled = 0;
  #entries = 0;
  #written = 0;
  #leftOut = 0;
  #lost = 0;

  private constructor(file: string, options: SessionLogOptions) {
    this.#path = file;
    this.#options = options;
  }

  static async open(file: string, options: SessionLogOptions): Promise<SessionLog> {
    const log = new SessionLog(file, options);
    await log.#append('', 0);
    return log;
  }

  /** Takes an entry in. Gives a promise when a batch has to be written first: whoever waits for it holds its source back. */
  write(entry: LogEntry): Promise<void> | undefined {
    const json = JSON.stringify(entry);
    const at = `{"at":${this.#options.now()}`;
    const bytes = at.length + Buffer.byteLength(json) + 1;
    if (this.#leftOut > 0 || this.#written + bytes > this.#options.maxBytes - TAIL) {
      this.#leftOut += 1;
      this.#tail.push(`${at},${json.slice(1)}\n`, bytes);
      return undefined;
    }
    this.#written += bytes;
    const waiting = this.#filled + bytes > this.#batch.length ? this.flush() : undefined;
    // One too long for any batch is one of its own.
    if (bytes > this.#batch.length) this.#batch = Buffer.allocUnsafe(bytes);
    this.#put(at, json);
    return waiting;
  }

  /** Puts an entry into the batch, which has room for it: `at`, then its JSON, whose first brace becomes the comma between. */
  #put(at: string, json: string): void {
    const comma = this.#filled + this.#batch.write(at, this.#filled, 'latin1');
    const end = comma + this.#batch.write(json, comma);
    this.#batch[comma] = COMMA;
    this.#batch[end] = NEWLINE;
    this.#filled = end + 1;
    this.#entries += 1;
  }

  /** Writes what was gathered, after what is being written. */
  async flush(): Promise<void> {
    const batch = this.#batch.subarray(0, this.#filled);
    const entries = this.#entries;
    if (entries > 0) this.#batch = Buffer.allocUnsafe(BATCH);
    this.#filled = 0;
    this.#entries = 0;
    this.#writing = this.#writing.then(async () => {
      if (entries > 0) await this.#append(batch, entries);
    });
    await this.#writing;
  }

  /** Appends what it can; entries that can't be written are counted. */
  async #append(text: Buffer | string, entries: number): Promise<void> {
    try {
      this.#file ??= await this.#openFile();
      await this.#file.appendFile(text);
    } catch (error) {
      this.#lost += entries;
      if (!this.#isBroken) this.#options.onBroken?.(error);
      this.#isBroken = true;
    }
  }

  async #openFile(): Promise<FileHandle> {
    await mkdir(path.dirname(this.#path), { recursive: true });
    const file = await open(this.#path, 'a', 0o600);
    // What an earlier life of the worker wrote counts, too.
    this.#written += (await file.stat()).size;
    return file;
  }

  #notice(text: string): string {
    return `${JSON.stringify({ at: this.#options.now(), type: 'notice', text })}\n`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    const notices =
      this.#lost > 0 ? [this.#notice(`${this.#lost} entries were lost: the log could not be written`)] : [];
    const last = this.#tail.lines();
    if (this.#leftOut > 0)
      notices.push(this.#notice(`${this.#leftOut - last.length} entries were left out here: the log is full`));
    const rest = [...notices, ...last].join('');
    if (rest !== '') await this.#append(rest, 0);
    await this.#file?.close().catch(() => undefined);
  }
}

/** The last lines pushed, at most `bytes` bytes of them, at a constant cost per line. */
class LastLines {
  readonly #half: number;
  #older: readonly string[] = [];
  #newer: string[] = [];
  #length = 0;

  constructor(bytes: number) {
    this.#half = bytes / 2;
  }

  push(line: string, bytes: number): void {
    if (this.#length + bytes > this.#half) {
      this.#older = this.#newer;
      this.#newer = [];
      this.#length = 0;
    }
    if (bytes > this.#half) return;
    this.#newer.push(line);
    this.#length += bytes;
  }

  lines(): readonly string[] {
    return [...this.#older, ...this.#newer];
  }
}
