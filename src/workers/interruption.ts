import type { Interruption } from '../domain/setback.ts';
import { ForgeError } from '../forge/forge.ts';
import { CommitGoneError } from '../git/mirror.ts';
import { BranchMovedError, PushRefusedError, RemoteAwayError } from '../git/remote.ts';
import { InfrastructureError } from '../runners/runner.ts';
import { LeaseLostError } from '../store/store.ts';
import { EndedEarly, endingOf } from './ending.ts';
import { PermissionLostError } from './stages/allowed.ts';

/** What an error that ended the work on a run means. `saving` is the run's signal: once aborted, every error comes of that. */
export function interruptionOf(error: unknown, saving: AbortSignal): Interruption {
  if (error instanceof LeaseLostError) return { kind: 'lost' };
  const ending = error instanceof EndedEarly ? error.kind : endingOf(saving);
  if (ending !== undefined) return { kind: ending };
  if (error instanceof BranchMovedError)
    return {
      kind: 'refused',
      reason: `Somebody else changed the run's branch (${error.message}); theirs is kept, and Maestro stops here.`,
    };
  if (error instanceof PushRefusedError)
    return { kind: 'refused', reason: `GitHub refused the push: ${error.message}` };
  if (error instanceof CommitGoneError)
    return { kind: 'refused', reason: `There is nothing to start from: ${error.message}. Ask for a new run.` };
  if (error instanceof PermissionLostError) return { kind: 'refused', reason: error.message };
  if (error instanceof RemoteAwayError) return { kind: 'away', limited: false, retryAt: undefined };
  if (error instanceof ForgeError) return forgeInterruption(error);
  const message = error instanceof Error ? error.message : String(error);
  return { kind: error instanceof InfrastructureError ? 'infrastructure' : 'unforeseen', message };
}

function forgeInterruption(error: ForgeError): Interruption {
  switch (error.kind) {
    case 'gone':
    case 'denied':
    case 'invalid':
      return { kind: 'refused', reason: `GitHub said no: ${error.message}` };
    case 'limited':
    case 'unavailable':
      return { kind: 'away', limited: error.kind === 'limited', retryAt: error.retryAt };
  }
}
