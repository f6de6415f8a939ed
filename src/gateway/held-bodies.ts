import type { IncomingMessage } from 'node:http';

/**
 * Bytes of request bodies that are held back at a time, by one session. Bedrock takes 25 MB in a request, and a CLI makes one or two
 * at a time; an agent may try any number.
 */
const LARGEST_TOGETHER = 64 * 1024 * 1024;

/** Request bodies that have to be whole before the request can be made: to be signed, or read. */
export interface HeldBodies {
  /** A request's whole body; undefined when it is too large beside those that are held, or the client went away. */
  take(request: IncomingMessage): Promise<HeldBody | undefined>;
}

/** Disposed of, it makes room for others. */
export interface HeldBody extends Disposable {
  readonly bytes: Buffer;
}

/** Makes room for one session's bodies. */
export function createHeldBodies(): HeldBodies {
  let together = 0;

  function take(request: IncomingMessage): Promise<HeldBody | undefined> {
    let chunks: Buffer[] = [];
    let size = 0;
    const release = (): void => {
      together -= size;
      size = 0;
      chunks = [];
    };
    return new Promise((resolve) => {
      let isOver = false;
      const giveUp = (): void => {
        if (isOver) return;
        isOver = true;
        release();
        resolve(undefined);
      };
      request.on('data', (chunk: Buffer) => {
        if (isOver) return;
        size += chunk.length;
        together += chunk.length;
        if (together > LARGEST_TOGETHER) giveUp();
        else chunks.push(chunk);
      });
      request.once('end', () => {
        if (isOver) return;
        isOver = true;
        resolve({ bytes: Buffer.concat(chunks), [Symbol.dispose]: release });
      });
      request.once('error', giveUp);
      request.once('close', giveUp);
    });
  }

  return { take };
}
