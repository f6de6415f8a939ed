/** Time as an argument: `now` is epoch milliseconds, for what people see; `monotonic` is for durations and never jumps. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
