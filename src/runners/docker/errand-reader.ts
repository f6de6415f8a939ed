import type { Duplex } from 'node:stream';
import type { JobWatch } from '../job-watch.ts';
import { deliver } from '../output.ts';
import { InfrastructureError, type ErrandIo } from '../runner.ts';
import { createDemux } from './demux.ts';

/** One errand's output: where it goes, and the word that ends it. */
interface Hearing {
  readonly word: string;
  readonly io: ErrandIo;
  readonly watch: JobWatch;
}

/** Reads what a keeper prints, one errand after another. */
export interface ErrandReader {
  /** Passes on the output of the errand that begins now; gives its exit code. Rejects when the output breaks off. */
  listen(hearing: Hearing): Promise<number>;
  /** Whether the keeper can say nothing any more. */
  isOver(): boolean;
}

interface Current extends Hearing {
  readonly stdout: Tail;
  readonly stderr: Tail;
  readonly answer: PromiseWithResolvers<number>;
}

/** Reads a keeper's attached output until that ends. */
export function createErrandReader(output: Duplex): ErrandReader {
  const demux = createDemux();
  let current: Current | undefined;
  let over: InfrastructureError | undefined;

  async function read(): Promise<void> {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      for (const { stream, bytes } of demux.push(chunk)) {
        if (current === undefined) continue;
        const rest = current[stream].push(bytes);
        if (rest.length > 0) await deliver(rest, current.io[stream], current.watch);
        settle();
      }
    }
    throw new Error('it ended');
  }

  /** The errand is over when its word has come on both streams: what it said on either is before that. */
  function settle(): void {
    const code = /^ (\d+)\n/.exec(current?.stdout.after() ?? '')?.[1];
    if (current === undefined || code === undefined || current.stderr.after() === undefined) return;
    current.answer.resolve(Number(code));
    current = undefined;
  }

  read().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    over =
      error instanceof InfrastructureError
        ? error
        : new InfrastructureError(`The keeper of a lane went away: ${reason}`, { cause: error });
    current?.answer.reject(over);
    current = undefined;
    output.destroy();
  });

  return {
    async listen(hearing) {
      if (over !== undefined) throw over;
      const answer = Promise.withResolvers<number>();
      current = { ...hearing, stdout: createTail(hearing.word), stderr: createTail(hearing.word), answer };
      return answer.promise;
    },
    isOver: () => over !== undefined || output.destroyed,
  };
}

/** Finds the word at the end of a stream. */
interface Tail {
  /** What of the stream is certainly before the word. */
  push(bytes: Buffer): Buffer;
  /** What came after the word; undefined while it has not come. */
  after(): string | undefined;
}

/** Holds back only as many bytes as could be the beginning of the word. */
function createTail(word: string): Tail {
  let held: Buffer = Buffer.alloc(0);
  let after: string | undefined;
  return {
    push(bytes) {
      if (after !== undefined) {
        after += bytes.toString('latin1');
        return Buffer.alloc(0);
      }
      const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      const at = all.indexOf(word, 0, 'latin1');
      if (at >= 0) {
        after = all.toString('latin1', at + word.length);
        return all.subarray(0, at);
      }
      const kept = beginningOf(word, all);
      held = Buffer.from(all.subarray(all.length - kept));
      return all.subarray(0, all.length - kept);
    },
    after: () => after,
  };
}

/** How many of the last bytes could be the beginning of the word. */
function beginningOf(word: string, bytes: Buffer): number {
  for (let length = Math.min(bytes.length, word.length - 1); length > 0; length -= 1) {
    if (bytes.toString('latin1', bytes.length - length) === word.slice(0, length)) return length;
  }
  return 0;
}
