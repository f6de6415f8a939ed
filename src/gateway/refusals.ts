import { isLongWait, type ModelRefusal } from '../domain/model-refusal.ts';

/** Milliseconds an agent has to end by itself after an answer that no further try will better. */
const GRACE_MS = 5_000;

/** Remembers how the endpoint answered a session last. */
export interface Refusals {
  readonly note: (refusal: ModelRefusal | undefined) => void;
  readonly last: () => ModelRefusal | undefined;
  /** Aborted `GRACE_MS` after a refusal that stands and can't be mended by trying again. */
  readonly hopeless: AbortSignal;
  readonly close: () => void;
}

/** Makes an empty memory. */
export function createRefusals(): Refusals {
  const hopeless = new AbortController();
  let last: ModelRefusal | undefined;
  let timer: NodeJS.Timeout | undefined;

  function stopWaiting(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  return {
    note(refusal) {
      last = refusal;
      if (refusal === undefined || !isFinal(refusal)) stopWaiting();
      else timer ??= setTimeout(() => hopeless.abort(), GRACE_MS).unref();
    },
    last: () => last,
    hopeless: hopeless.signal,
    close: stopWaiting,
  };
}

function isFinal(refusal: ModelRefusal): boolean {
  const { status } = refusal;
  if (status === 429) return isLongWait(refusal);
  return status === 401 || status === 402 || status === 403;
}
