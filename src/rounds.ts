import type { Log } from './telemetry/log.ts';

/** Work that is done at once and then again and again, never twice at the same time. */
export interface Rounds {
  /** Resolves when the first round is over, however it went. */
  readonly first: Promise<void>;
  /** Starts no further round and waits for the one that is going. */
  close(): Promise<void>;
}

/** Starts rounds of `work`, `everyMs` apart. One that fails is logged under `name`; the next comes all the same. */
export function startRounds(of: {
  readonly name: string;
  readonly everyMs: number;
  readonly work: (signal: AbortSignal) => Promise<unknown>;
  readonly log: Log;
}): Rounds {
  const closing = new AbortController();
  let going: Promise<void> | undefined;

  const round = async (): Promise<void> => {
    try {
      await of.work(closing.signal);
    } catch (error) {
      if (!closing.signal.aborted) of.log.warn({ err: error, round: of.name }, 'round failed; the next tries again');
    }
  };
  const start = (): Promise<void> => {
    going ??= round().finally(() => {
      going = undefined;
    });
    return going;
  };

  const first = start();
  const timer = setInterval(() => void start(), of.everyMs);
  return {
    first,
    close: async () => {
      clearInterval(timer);
      closing.abort();
      await going;
    },
  };
}
