/* oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/valid-describe-callback, vitest/expect-expect, vitest/no-disabled-tests --
   those are rules for tests, and this declares suites on behalf of tests */
import { describe, inject, it } from 'vitest';
import type { ComponentName } from './provided.ts';

/**
 * `describe` for a suite that needs components. Where one is missing the suite is not even read: it stands in the report as one
 * test, skipped with the reason in its name. In CI it fails instead, because there nothing may be skipped.
 *
 * @param needs What it needs; addresses come from `inject('redisUrl')`, `inject('dockerHost')`, … and `createDatabase()`.
 */
export function describeWith(needs: ComponentName | readonly ComponentName[], name: string, suite: () => void): void {
  const reason = whyMissing(typeof needs === 'string' ? [needs] : needs);
  if (reason === undefined) {
    describe(name, suite);
    return;
  }
  describe(name, () => {
    if (isCi()) {
      it(`has what it needs`, () => {
        throw new Error(`${reason} (in CI nothing is skipped)`);
      });
    } else {
      it.skip(`skipped, because ${reason}`, () => undefined);
    }
  });
}

function whyMissing(needs: readonly ComponentName[]): string | undefined {
  const missing: Partial<Readonly<Record<ComponentName, string>>> | undefined = inject('missing');
  if (missing === undefined) return 'its project starts no components (see globalSetup in vitest.config.ts)';
  return needs.map((need) => missing[need]).find((reason) => reason !== undefined);
}

function isCi(): boolean {
  return !['', '0', 'false'].includes(process.env['CI'] ?? '');
}
