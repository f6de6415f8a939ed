/** The server's own time. It follows the machine's until a test moves it; tokens and timestamps go by it. */
export interface ServerClock {
  /** Epoch milliseconds. */
  now(): number;
  /** Moves time forward (or back) by `milliseconds`. */
  advance(milliseconds: number): void;
  /** Jumps so that it is `epochMilliseconds` now; time goes on from there. */
  set(epochMilliseconds: number): void;
}

/** A clock over `source` (epoch milliseconds; the machine's time when omitted). */
export function createServerClock(source: () => number = Date.now): ServerClock {
  let offset = 0;
  return {
    now: () => source() + offset,
    advance(milliseconds) {
      offset += milliseconds;
    },
    set(epochMilliseconds) {
      offset = epochMilliseconds - source();
    },
  };
}

/** ISO 8601 in whole seconds, as GitHub writes times. */
export function timestamp(epochMilliseconds: number): string {
  return `${new Date(epochMilliseconds).toISOString().slice(0, 19)}Z`;
}
