import { pipeline, type Duplex } from 'node:stream';

/** Joins two connections until both directions have ended, either fails, or `signal` aborts; then both are gone. */
export function pipeBothWays(a: Duplex, b: Duplex, signal: AbortSignal): void {
  const end = (): void => {
    a.destroy();
    b.destroy();
  };
  signal.addEventListener('abort', end, { once: true });
  let open = 2;
  const ended = (error: Error | null | undefined): void => {
    open -= 1;
    if (open > 0 && !error) return;
    signal.removeEventListener('abort', end);
    end();
  };
  pipeline(a, b, ended);
  pipeline(b, a, ended);
}
