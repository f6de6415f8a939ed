import type { Clock } from '../../domain/clock.ts';
import { ForgeError } from '../forge.ts';
import { forgeError, httpProblem } from './problems.ts';

/** How often a request of the App itself is tried. */
const TRIES = 3;

/**
 * A request made as the App itself, with a JWT, and tried a few times when no usable answer comes: for what is fine to repeat.
 * `what` is verb and thing, for the error's text. Rejects with `ForgeError`.
 */
export async function asApp<T>(
  deps: { readonly clock: Clock; readonly client: { pause(attempt: number): Promise<void> } },
  what: string,
  call: () => Promise<{ readonly data: T }>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { data } = await call();
      if (typeof data !== 'object') throw new ForgeError('unavailable', `could not ${what}: the reply was cut off`);
      return data;
    } catch (error) {
      const told = error instanceof ForgeError ? error : forgeError(httpProblem(error), what, deps.clock);
      if (told.kind !== 'unavailable' || attempt === TRIES) throw told;
      await deps.client.pause(attempt);
    }
  }
}
