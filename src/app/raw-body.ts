import type { IncomingMessage } from 'node:http';

/** What one front door may hold in memory and how long it waits. Bytes and milliseconds. */
export interface BodyLimits {
  /** Largest body taken. GitHub's own cap on a payload is 25 MB. */
  readonly maxBytes: number;
  /** From the first look at a request to the last byte of its body. */
  readonly readMs: number;
  /** Bodies read at the same time. */
  readonly maxBodies: number;
  /** Requests that wait, unread, for one of those to be through. */
  readonly maxWaiting: number;
  /** Bytes of all bodies being read together, so that many large ones cannot fill the memory. */
  readonly maxBufferedBytes: number;
}

/** GitHub gives a delivery ten seconds; eight leave two for saving it. */
export const BODY_LIMITS: BodyLimits = {
  maxBytes: 25 * 1024 * 1024,
  readMs: 8_000,
  maxBodies: 64,
  maxWaiting: 1_000,
  maxBufferedBytes: 32 * 1024 * 1024,
};

/** Why a body was not taken, as the status to answer with. */
export class BodyRefused extends Error {
  override readonly name = 'BodyRefused';
  readonly status: 400 | 408 | 413 | 503;
  constructor(status: BodyRefused['status'], message: string) {
    super(message);
    this.status = status;
  }
}

export interface BodyReader {
  /**
   * Reads the raw bytes of a request's body, handing each chunk to `onChunk` as it comes, and gives them to `use`. Rejects with
   * `BodyRefused` (the rest of a refused body is left unread) or as `use` does. A body counts against the limits until `use` is
   * through with it.
   */
  read<T>(request: IncomingMessage, onChunk: (chunk: Buffer) => void, use: (body: Buffer) => Promise<T>): Promise<T>;
}

/** Share of the time for a body that it may wait before it is read. */
const WAITING_SHARE = 0.5;

/** Makes a reader; its limits on the number of bodies and on buffered bytes hold across all requests it reads. */
export function createBodyReader(limits: BodyLimits): BodyReader {
  let bodies = 0;
  let buffered = 0;
  const waiting: (() => void)[] = [];

  /** Waits for a body's turn: what a moment's hold-up of the disk piles up need not be sent again. */
  async function turn(): Promise<void> {
    if (bodies < limits.maxBodies) {
      bodies += 1;
      return;
    }
    if (waiting.length >= limits.maxWaiting) throw tooMany();
    await new Promise<void>((resolve, reject) => {
      const take = (): void => {
        clearTimeout(late);
        resolve();
      };
      const late = setTimeout(() => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(tooMany());
      }, limits.readMs * WAITING_SHARE);
      waiting.push(take);
    });
  }

  /** Hands a place on, or gives it up. */
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) bodies -= 1;
    else next();
  }

  async function read<T>(
    request: IncomingMessage,
    onChunk: (chunk: Buffer) => void,
    use: (body: Buffer) => Promise<T>,
  ): Promise<T> {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > limits.maxBytes) throw tooLarge(limits.maxBytes);
    let size = 0;
    await turn();
    try {
      if (request.destroyed) throw brokenOff();
      return await use(
        await collect(request, limits, (chunk) => {
          size += chunk.length;
          buffered += chunk.length;
          if (size > limits.maxBytes) throw tooLarge(limits.maxBytes);
          if (buffered > limits.maxBufferedBytes) {
            throw new BodyRefused(503, 'too many large deliveries at once, deliver this one again');
          }
          onChunk(chunk);
        }),
      );
    } finally {
      leave();
      buffered -= size;
    }
  }

  return { read };
}

/** All chunks of a body, each admitted by `admit`, which throws for one too many. */
async function collect(request: IncomingMessage, limits: BodyLimits, admit: (chunk: Buffer) => void): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const deadline = setTimeout(() => reject(new BodyRefused(408, 'the body took too long')), limits.readMs);
  const take = (chunk: Buffer): void => {
    try {
      admit(chunk);
      chunks.push(chunk);
    } catch (error) {
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const finish = (): void => resolve(Buffer.concat(chunks));
  const breakOff = (): void => reject(brokenOff());
  request.on('data', take).on('end', finish).on('error', breakOff).on('close', breakOff);
  try {
    return await promise;
  } finally {
    clearTimeout(deadline);
    request.pause().off('data', take).off('end', finish).off('close', breakOff);
  }
}

function brokenOff(): BodyRefused {
  return new BodyRefused(400, 'the body ended before its end');
}

function tooMany(): BodyRefused {
  return new BodyRefused(503, 'too many deliveries at once, deliver this one again');
}

function tooLarge(maxBytes: number): BodyRefused {
  return new BodyRefused(413, `the body is larger than ${maxBytes} bytes`);
}
