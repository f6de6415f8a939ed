import type { Writable } from 'node:stream';

/**
 * The shelf is where the CLIs' own files of earlier conversations are kept, one archive a session, on this machine's disk. What an
 * archive holds an agent wrote: it is never opened here, only handed to a later container.
 */
export interface Shelf {
  /**
   * Keeps what `fill` writes as the archive (tar) of a session, compressed and without the secrets we know, in place of an earlier
   * one of the same id. Gives undefined, keeping nothing, when that is nothing or too much. Rejects as `fill` does, or when the
   * disk fails.
   */
  put(about: SessionFacts, fill: (sink: Writable) => Promise<void>): Promise<KeptSession | undefined>;
  /** All that is kept, of a repository or altogether, newest first. What can't be read is left out. */
  list(repositoryId?: number): Promise<readonly KeptSession[]>;
  /** The archive of a session, a tar compressed by gzip; undefined when it is not kept here. */
  read(session: Pick<KeptSession, 'id' | 'repository'>): Promise<Buffer | undefined>;
  /** Lets go of what is older than it is kept for, then of the oldest, until what is left fits. Says how many went. */
  tidy(now: number): Promise<number>;
}

/** What is known of a session whose conversation is kept. */
export interface SessionFacts {
  /** Of our session, or of an import: `[a-z0-9-]`, at most 120 characters. */
  readonly id: string;
  readonly repository: { readonly id: number; readonly name: string };
  readonly provider: string;
  /** The provider's own id. */
  readonly conversation: string;
  /** The working directory it was held in, as the CLI saw it. */
  readonly cwd: string;
  /** The first words of the person, or the task's title. */
  readonly title: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Whether it was brought here by the operator from a desk. */
  readonly imported: boolean;
}

export interface KeptSession extends SessionFacts {
  /** Bytes of its archive. */
  readonly bytes: number;
}

/** The newest of `sessions`, newest first, that `wanted` names, by our id or by the provider's own. */
export function findKept(sessions: readonly KeptSession[], wanted: string): KeptSession | undefined {
  return sessions.find(({ id, conversation }) => id === wanted || conversation === wanted);
}
