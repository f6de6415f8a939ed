import { circuitStanding, CLOSED, type Circuit } from './circuit.ts';
import type { Failure } from './outcome.ts';
import { moment } from './report/quantities.ts';
import { remedy, type RetryPolicy } from './retry.ts';
import type { Run, Session } from './run.ts';

/*
 * Providers in order of preference, and which of them a task is given to. Decided from the record alone (the task's sessions and
 * the circuits), so that a worker that takes a run over decides the same.
 */

/** A provider a run may be given to. */
export interface Candidate {
  readonly provider: string;
  /** Its circuit; undefined for one that was never in trouble, or that needs no endpoint. */
  readonly circuit: Circuit | undefined;
  /** Why it can't be used here at all, completing "codex …"; undefined when it can. */
  readonly lacks: string | undefined;
}

/** To which provider a task goes next. */
export type Choice =
  /**
   * To this one. `trial`: its circuit is half open, and the one try has to be had first. `instead`: why not to those that are
   * preferred, undefined when it is the most preferred.
   */
  | { readonly kind: 'go'; readonly provider: string; readonly trial: boolean; readonly instead: string | undefined }
  /** To none before `at`. */
  | { readonly kind: 'wait'; readonly at: number; readonly reason: string }
  /** To none any more. */
  | { readonly kind: 'none'; readonly reason: string };

/** Times in a row that a provider is waited for, when it is overloaded or can't be reached, before another takes over. */
const PATIENCE = 2;

/** How a run's providers go by preference: the one asked for first, then the others. */
export function preferenceOf(run: Pick<Run, 'provider' | 'fallbacks'>): readonly string[] {
  return [...new Set([run.provider, ...(run.fallbacks ?? [])])];
}

/** The model to ask for: one that was named means nothing to a provider that takes over. */
export function modelOf(run: Pick<Run, 'provider' | 'model'>, provider: string): string | undefined {
  return provider === run.provider ? run.model : undefined;
}

/** Whether a failure is the provider's own, so that another provider may do better. */
export function isProviders({ kind }: Failure): boolean {
  return kind === 'auth' || kind === 'quota' || kind === 'overloaded' || kind === 'network';
}

/**
 * Decides to which provider a task goes.
 *
 * @param candidates In order of preference, at least one.
 * @param of.sessions The task's own, in the order they began.
 */
export function chooseProvider(
  candidates: readonly Candidate[],
  of: { readonly sessions: readonly Session[]; readonly now: number; readonly retry: RetryPolicy },
): Choice {
  const passed: Exclude<Standing, { kind: 'free' }>[] = [];
  for (const candidate of candidates) {
    const stands = standingOf(candidate, of);
    if (stands.kind === 'free') {
      const instead = passed.length === 0 ? undefined : passed.map(({ reason }) => reason).join('; ');
      return { kind: 'go', provider: candidate.provider, trial: stands.trial, instead };
    }
    passed.push(stands);
    if (stands.kind === 'until' && stands.isSoon) break;
  }
  const reason = passed.map((one) => one.reason).join('; ');
  const times = passed.flatMap((one) => (one.kind === 'until' ? [one.at] : []));
  return times.length === 0 ? { kind: 'none', reason } : { kind: 'wait', at: Math.min(...times), reason };
}

/** How a provider stands for one task. */
type Standing =
  | { readonly kind: 'free'; readonly trial: boolean }
  /** `isSoon`: it is worth waiting for, rather than going to another. */
  | { readonly kind: 'until'; readonly at: number; readonly reason: string; readonly isSoon: boolean }
  | { readonly kind: 'spent'; readonly reason: string };

function standingOf(
  { provider, circuit = CLOSED, lacks }: Candidate,
  of: { readonly sessions: readonly Session[]; readonly now: number; readonly retry: RetryPolicy },
): Standing {
  if (lacks !== undefined) return { kind: 'spent', reason: `${provider} ${lacks}` };
  const own = ownStanding(provider, of);
  if (own?.kind === 'spent') return own;
  const stands = circuitStanding(circuit, of.now);
  if (stands.kind === 'open') {
    const until = stands.tried ? 'and is being tried' : `until ${moment(stands.at)}`;
    const at = Math.max(stands.at, own?.at ?? 0);
    return { kind: 'until', at, reason: `${provider} ${stands.reason} ${until}`, isSoon: false };
  }
  return own ?? { kind: 'free', trial: stands.kind === 'half-open' };
}

/** What the task itself has been through with a provider; undefined when nothing of that is in the way. */
function ownStanding(
  provider: string,
  {
    sessions,
    now,
    retry,
  }: { readonly sessions: readonly Session[]; readonly now: number; readonly retry: RetryPolicy },
): Exclude<Standing, { kind: 'free' }> | undefined {
  const failures = sessions.flatMap(({ provider: by, outcome, startedAt, endedAt = startedAt }) =>
    by === provider && outcome?.kind === 'failed' ? [{ failure: outcome.failure, at: endedAt }] : [],
  );
  const last = failures.at(-1);
  if (last === undefined || !isProviders(last.failure)) return undefined;
  const { failure } = last;
  const alike = failures.filter((one) => one.failure.kind === failure.kind).length;
  const next = remedy(failure, alike, last.at, retry);
  if (next.kind === 'fail') return { kind: 'spent', reason: `${provider} ${TROUBLE[failure.kind] ?? 'failed'}` };
  if (next.at <= now) return undefined;
  const isSoon = failure.kind !== 'quota' && alike < PATIENCE;
  const until = failure.kind === 'quota' ? ` until ${moment(next.at)}` : '';
  return { kind: 'until', at: next.at, reason: `${provider} ${TROUBLE[failure.kind] ?? 'failed'}${until}`, isSoon };
}

/** What is the matter with a provider, completing "codex …". */
const TROUBLE: Readonly<Partial<Record<Failure['kind'], string>>> = {
  auth: 'has a key or model that is refused',
  quota: 'is out of quota',
  overloaded: 'is overloaded',
  network: 'can not be reached',
};
