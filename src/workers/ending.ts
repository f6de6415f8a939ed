/**
 * Why work on a run ends before its tasks do. Carried as the reason of an AbortSignal; the first one stays.
 *
 * - `stop` a person asked for it: settle, keep the work, report
 * - `lost` the lease passed to another worker: write nothing, push nothing, say nothing
 * - `shutdown` this process ends: put the run back in line
 */
export class EndedEarly extends Error {
  override readonly name = 'EndedEarly';
  readonly kind: 'stop' | 'lost' | 'shutdown';
  constructor(kind: EndedEarly['kind']) {
    super(`the work was ended early: ${kind}`);
    this.kind = kind;
  }
}

/** The kind of ending an aborted signal stands for; undefined while it is not aborted. A foreign reason is a lost lease. */
export function endingOf(signal: AbortSignal): EndedEarly['kind'] | undefined {
  if (!signal.aborted) return undefined;
  return signal.reason instanceof EndedEarly ? signal.reason.kind : 'lost';
}
