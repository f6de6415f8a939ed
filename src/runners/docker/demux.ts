/** A piece of what a container printed. A frame of the engine may come as several pieces. */
interface Piece {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

export interface Demux {
  /** Pieces in the next chunk of an attached stream, as views into it. Throws when the bytes are not the engine's framing. */
  push(chunk: Buffer): readonly Piece[];
  /** Whether the bytes so far end between two frames. */
  isComplete(): boolean;
}

/** Bytes of a frame's header: stream (1 = stdout, 2 = stderr), three zeros, big-endian length (Docker API, "Attach to a container"). */
const HEADER = 8;

/** Splits the stream of a container without a terminal into stdout and stderr. Chunks may end anywhere, inside a header too. */
export function createDemux(): Demux {
  const header = Buffer.alloc(HEADER);
  let headerBytes = 0;
  let stream: Piece['stream'] = 'stdout';
  let remaining = 0;

  function readHeader(chunk: Buffer, from: number): number {
    const taken = chunk.copy(header, headerBytes, from, from + HEADER - headerBytes);
    headerBytes += taken;
    if (headerBytes === HEADER) {
      const kind = header[0];
      if ((kind !== 1 && kind !== 2) || header.readUIntBE(1, 3) !== 0) {
        throw new Error('The engine sent something that is not a frame of output');
      }
      stream = kind === 1 ? 'stdout' : 'stderr';
      remaining = header.readUInt32BE(4);
      headerBytes = 0;
    }
    return from + taken;
  }

  return {
    push(chunk) {
      const pieces: Piece[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (remaining === 0) {
          at = readHeader(chunk, at);
          continue;
        }
        const end = Math.min(chunk.length, at + remaining);
        pieces.push({ stream, bytes: chunk.subarray(at, end) });
        remaining -= end - at;
        at = end;
      }
      return pieces;
    },
    isComplete: () => remaining === 0 && headerBytes === 0,
  };
}
