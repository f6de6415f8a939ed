import { InfrastructureError } from '../runner.ts';

/**
 * Waits for `call` to the engine, at most `ms`. Throws `InfrastructureError` that names `what` was being done when the engine is
 * silent or gone; an answer that is an error of the engine's is thrown as it is, for the caller to judge by `statusOf`.
 */
export async function ask<T>(what: string, ms: number, call: Promise<T>): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new InfrastructureError(`The Docker engine did not ${what} within ${ms / 1000} s. Is it overloaded?`));
  }, ms);
  try {
    return await Promise.race([call, silence]);
  } catch (error) {
    if (error instanceof InfrastructureError || statusOf(error) !== undefined) throw error;
    throw new InfrastructureError(
      `No Docker engine answers, asked to ${what}: ${messageOf(error)}. Start Docker, or set DOCKER_HOST to where it listens.`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** HTTP status of an error the engine answered with; undefined for every other error. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

/** Makes an `InfrastructureError` of what the engine answered, unless it is one. */
export function infrastructure(what: string, error: unknown): InfrastructureError {
  if (error instanceof InfrastructureError) return error;
  return new InfrastructureError(`The Docker engine could not ${what}: ${messageOf(error)}`, { cause: error });
}

/** Waits for `call`, for which the statuses `fine` are as good as success. Other errors become `InfrastructureError`. */
export async function askUnless(
  fine: readonly number[],
  what: string,
  ms: number,
  call: Promise<unknown>,
): Promise<void> {
  try {
    await ask(what, ms, call);
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined || !fine.includes(status)) throw infrastructure(what, error);
  }
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // "(HTTP code 409) unexpected - the engine's words"
  return message.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim();
}
