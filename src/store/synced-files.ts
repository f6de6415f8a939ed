import { fsyncSync } from 'node:fs';
import { NodeFS } from '@electric-sql/pglite/nodefs';

type Init = NodeFS['init'];

/** An open file of Emscripten's NODEFS: `nfd` is the descriptor Node knows it by. */
interface NodeStream {
  readonly nfd: number;
}

/**
 * PGlite's files on disk, flushed when the database asks for it. As it comes, PGlite runs with fsync off and its file system
 * has no way to flush: a commit then survives a killed process, but not a power cut (promise P1).
 */
export class SyncedFiles extends NodeFS {
  private readonly flush: (descriptor: number) => void;

  /** @param flush Flushes one file to the disk; given by tests to count. */
  constructor(directory: string, flush: (descriptor: number) => void = fsyncSync) {
    super(directory);
    this.flush = flush;
  }

  override async init(...args: Parameters<Init>): ReturnType<Init> {
    const { emscriptenOpts } = await super.init(...args);
    const addFlush = (module: { readonly NODEFS: object }): void => {
      const { NODEFS } = module;
      if (!('stream_ops' in NODEFS) || typeof NODEFS.stream_ops !== 'object' || NODEFS.stream_ops === null) {
        throw new Error('this version of PGlite cannot be made to flush its files to the disk');
      }
      Object.assign(NODEFS.stream_ops, {
        fsync: (stream: NodeStream) => {
          this.flush(stream.nfd);
          return 0;
        },
      });
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addFlush] } };
  }
}
