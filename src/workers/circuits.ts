import { afterBlame, blameOf, CLOSED, takeTrial, type Circuit } from '../domain/circuit.ts';
import { chooseProvider, preferenceNow, preferenceOf, type Candidate } from '../domain/failover.ts';
import type { ModelRefusal } from '../domain/model-refusal.ts';
import type { Failure } from '../domain/outcome.ts';
import type { Run, Session } from '../domain/run.ts';
import type { ModelEndpoint } from '../gateway/gateway.ts';
import type { Provider } from '../providers/provider.ts';
import { SealError } from '../store/store.ts';
import type { WorkerDeps } from './deps.ts';
import { imageOf } from './image.ts';
import type { RunScope } from './record.ts';

/** A provider of a run, with all that tells whether it can be used now. */
export interface ProviderAtHand {
  readonly candidate: Candidate;
  /** Undefined when this worker does not have it. */
  readonly provider: Provider | undefined;
  readonly endpoint: ModelEndpoint | undefined;
  /** Why its key can't be used, for a person. */
  readonly problem: string | undefined;
}

/** The run's providers in order of preference, as they are at this moment. */
export async function candidatesOf({
  deps,
  held,
}: Pick<RunScope, 'deps' | 'held'>): Promise<readonly ProviderAtHand[]> {
  const { installationId } = held.run.repository;
  const known = await Promise.all(
    preferenceNow(held.run, held.tasks).map(async (id) => {
      const provider = deps.findProvider(id);
      const { endpoint, problem } = await endpointOf(deps, provider, installationId);
      return { id, provider, endpoint, problem, circuit: circuitName(id, endpoint) };
    }),
  );
  const circuits = await deps.store.findCircuits(known.flatMap(({ circuit }) => circuit ?? []));
  return known.map(({ id, provider, endpoint, problem, circuit }) => ({
    candidate: { provider: id, circuit: circuits.get(circuit ?? ''), lacks: lackOf(provider, endpoint, problem) },
    provider,
    endpoint,
    problem,
  }));
}

async function endpointOf(
  deps: WorkerDeps,
  provider: Provider | undefined,
  installationId: number,
): Promise<{ readonly endpoint?: ModelEndpoint | undefined; readonly problem?: string }> {
  if (provider?.protocol === undefined) return {};
  try {
    return { endpoint: await deps.modelEndpoint(provider.protocol, { installationId }) };
  } catch (error) {
    if (error instanceof SealError) return { problem: error.message };
    throw error;
  }
}

function lackOf(
  provider: Provider | undefined,
  endpoint: ModelEndpoint | undefined,
  problem: string | undefined,
): string | undefined {
  if (problem !== undefined) return 'has a key that can not be opened';
  if (provider === undefined) return 'is not there on this worker';
  return provider.protocol !== undefined && endpoint === undefined ? 'has no key' : undefined;
}

/** What a task goes to: a provider with its endpoint, a time to wait for, or a failure because nothing is left. */
export type Turn =
  | { readonly kind: 'go'; readonly scope: RunScope }
  | { readonly kind: 'wait'; readonly at: number; readonly reason: string }
  | { readonly kind: 'none'; readonly failure: Failure };

/**
 * Finds the provider a task goes to next, and takes the one try of a half-open circuit where that is what it needs. A scope for a
 * task whose providers can't be used for want of a key goes to the one asked for, which then says so.
 */
export async function takeTurn(scope: RunScope, sessions: readonly Session[]): Promise<Turn> {
  const { deps, held } = scope;
  const { retry, circuit: policy } = deps.settings;
  for (;;) {
    const atHand = await candidatesOf(scope);
    const now = deps.clock.now();
    const choice = chooseProvider(
      atHand.map(({ candidate }) => candidate),
      { sessions, now, retry },
    );
    if (choice.kind === 'wait') return { kind: 'wait', at: choice.at, reason: `${choice.reason}.` };
    if (choice.kind === 'none') {
      const last = sessions.findLast(({ outcome }) => outcome?.kind === 'failed')?.outcome;
      if (last?.kind === 'failed') return { kind: 'none', failure: last.failure };
    }
    const id = choice.kind === 'go' ? choice.provider : held.run.provider;
    const chosen = atHand.find(({ candidate }) => candidate.provider === id);
    const provider = chosen?.provider;
    if (chosen === undefined || provider === undefined)
      return { kind: 'none', failure: { kind: 'infra', message: `This worker has no provider called \`${id}\`.` } };
    if (choice.kind === 'none' && chosen.problem !== undefined)
      return { kind: 'none', failure: { kind: 'auth', message: chosen.problem } };
    if (choice.kind === 'go' && choice.trial) {
      const name = circuitName(id, chosen.endpoint) ?? '';
      if (!(await deps.store.changeCircuit(name, (before) => takeTrial(before, now, policy)))) continue;
      scope.log.info({ provider: id, circuit: name }, 'a circuit is half open; this session tries');
    }
    const reason = choice.kind === 'go' ? choice.instead : undefined;
    const handover = reason === undefined ? undefined : { provider: id, reason };
    const image = await imageOf({ ...scope, provider });
    return { kind: 'go', scope: { ...scope, provider, image, endpoint: chosen.endpoint, handover } };
  }
}

/** Notes the first proper answer a session got: it closes the circuit, without waiting for the session's end. */
export async function noteAnswer({ deps, provider, endpoint, log }: RunScope): Promise<void> {
  const name = circuitName(provider.id, endpoint);
  if (name === undefined) return;
  try {
    const known = (await deps.store.findCircuits([name])).get(name);
    if (known === undefined || isClosed(known)) return;
    const wasOpen = await deps.store.changeCircuit(name, (before) => (isClosed(before) ? undefined : CLOSED));
    if (wasOpen) log.info({ provider: provider.id, circuit: name }, 'a circuit closed: the model endpoint answers');
  } catch (error) {
    log.warn({ err: error, circuit: name }, 'an answer could not be noted with its circuit');
  }
}

function isClosed(circuit: Circuit): boolean {
  return circuit.failures === 0 && circuit.openUntil === undefined;
}

/** Notes what a session that is over says about its endpoint. `refusal` is the endpoint's last answer, if that was none. */
export async function noteEnd(
  { deps, provider, endpoint, log }: RunScope,
  refusal: ModelRefusal | undefined,
): Promise<void> {
  const name = circuitName(provider.id, endpoint);
  const blame = refusal && blameOf(refusal);
  if (name === undefined || blame === undefined) return;
  const now = deps.clock.now();
  const noted: Circuit[] = [];
  try {
    await deps.store.changeCircuit(name, (before) => {
      const after = afterBlame(before, blame, now, deps.settings.circuit);
      noted.push(after);
      return after;
    });
  } catch (error) {
    log.warn({ err: error, circuit: name }, 'a refusal could not be noted with its circuit');
  }
  const [after] = noted;
  if (after?.openUntil === undefined || after.openUntil <= now) return;
  const until = new Date(after.openUntil).toISOString();
  log.warn({ provider: provider.id, circuit: name, reason: after.reason, until }, OPENED);
}

const OPENED = 'a circuit is open: nothing is asked of this model endpoint for a while';

function circuitName(provider: string, endpoint: ModelEndpoint | undefined): string | undefined {
  return endpoint?.name === undefined ? undefined : `${provider}/${endpoint.name}`;
}

/** The most preferred provider of a run that this worker has. */
export function firstProvider(deps: WorkerDeps, run: Run): Provider | undefined {
  return preferenceOf(run)
    .map((id) => deps.findProvider(id))
    .find((provider) => provider !== undefined);
}
