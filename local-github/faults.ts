/** Something to go wrong on purpose. Rules apply in the order they were added, each `times` times (once when omitted). */
export type FaultRule = RequestFault | HookFault;

export interface RequestFault {
  /**
   * `cut-after`: it is done, but the connection ends without a reply · `cut-before`: it ends before anything is done · `status`:
   * refused with `status` · `secondary-limit` and `primary-limit`: GitHub's two rate limits · `delay`: `ms` later, then as usual.
   */
  readonly kind: 'cut-after' | 'cut-before' | 'status' | 'secondary-limit' | 'primary-limit' | 'delay';
  /** HTTP method; any when omitted. */
  readonly method?: string | undefined;
  /** Regular expression that the path, without `/api/v3`, must match; any when omitted. Git's paths count too. */
  readonly path?: string | undefined;
  readonly times?: number | undefined;
  /** Regular expression that the caller's `User-Agent` must match; any caller when omitted. */
  readonly agent?: string | undefined;
  /** For `status` (503 when omitted) and the limits (403 when omitted, or 429). */
  readonly status?: number | undefined;
  /** Seconds, for `secondary-limit` (60 when omitted) and, as the time until the reset, for `primary-limit`. */
  readonly retryAfter?: number | undefined;
  /** Milliseconds, for `delay`. */
  readonly ms?: number | undefined;
}

interface HookFault {
  /** Never sent · sent twice with one GUID · the next `times` held back and then sent newest first. */
  readonly kind: 'drop-hook' | 'duplicate-hook' | 'reorder-hooks';
  /** Event name, or `event.action`; any when omitted. */
  readonly event?: string | undefined;
  /** Applies to every nth of them only; to each when omitted. */
  readonly every?: number | undefined;
  readonly times?: number | undefined;
}

/** The rules in force. */
export interface Faults {
  add(rule: FaultRule): void;
  clear(): void;
  list(): readonly (FaultRule & { readonly left: number })[];
  /** The first rule for a request, with one of its times used up. */
  takeRequestFault(method: string, path: string, agent?: string): RequestFault | undefined;
  takeHookFault(
    kind: HookFault['kind'],
    event: string,
    action: string | null,
  ): { readonly rule: HookFault; readonly left: number } | undefined;
}

/** No rules yet. */
export function createFaults(): Faults {
  let entries: { readonly rule: FaultRule; left: number; met: number }[] = [];

  function take(entry: { left: number }): void {
    entry.left -= 1;
    if (entry.left <= 0) entries = entries.filter((other) => other !== entry);
  }

  return {
    add(rule) {
      entries.push({ rule, left: rule.times ?? 1, met: 0 });
    },
    clear() {
      entries = [];
    },
    list: () => entries.map((entry) => ({ ...entry.rule, left: entry.left })),
    takeRequestFault(method, path, agent = '') {
      for (const entry of entries) {
        const { rule } = entry;
        if (isHookFault(rule)) continue;
        if (rule.method !== undefined && rule.method.toUpperCase() !== method) continue;
        if (rule.path !== undefined && !new RegExp(rule.path).test(path)) continue;
        if (rule.agent !== undefined && !new RegExp(rule.agent).test(agent)) continue;
        take(entry);
        return rule;
      }
      return undefined;
    },
    takeHookFault(kind, event, action) {
      for (const entry of entries) {
        const { rule } = entry;
        if (!isHookFault(rule) || rule.kind !== kind) continue;
        if (rule.event !== undefined && rule.event !== event && rule.event !== `${event}.${action ?? ''}`) continue;
        entry.met += 1;
        if (entry.met % (rule.every ?? 1) !== 0) continue;
        take(entry);
        return { rule, left: entry.left };
      }
      return undefined;
    },
  };
}

function isHookFault(rule: FaultRule): rule is HookFault {
  return rule.kind === 'drop-hook' || rule.kind === 'duplicate-hook' || rule.kind === 'reorder-hooks';
}
