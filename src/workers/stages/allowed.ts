import { mayWrite } from '../../forge/forge.ts';
import { EndedEarly, endingOf } from '../ending.ts';
import type { RunScope } from '../record.ts';

/** The person who asked may no longer write to the repository. */
export class PermissionLostError extends Error {
  override readonly name = 'PermissionLostError';
}

/** Asks GitHub whether the person may still write. Rejects with `PermissionLostError` when not. */
export async function assertMayWrite(scope: RunScope): Promise<void> {
  const { repository, requester } = scope.held.run;
  const role = await scope.deps.forge.role(repository, requester.login);
  if (!mayWrite(role))
    throw new PermissionLostError(
      `@${requester.login} may no longer write to this repository, so nothing more is pushed for them`,
    );
}

/** A last look before something leaves: a lease that is gone, or ran out while this process stood still, may not push. */
export function stillOurs(scope: RunScope): void {
  scope.held.assertOurs();
  const ending = endingOf(scope.saving);
  if (ending !== undefined) throw new EndedEarly(ending);
}
