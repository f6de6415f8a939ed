import { expect, it } from 'vitest';
import { createFaults } from '../../local-github/faults.ts';

it('uses each rule as often as it says, in the order they came', () => {
  const faults = createFaults();
  faults.add({ kind: 'status', status: 500, times: 2, path: '^/repos/' });
  faults.add({ kind: 'status', status: 502 });
  const status = (path: string) => faults.takeRequestFault('GET', path)?.status;
  expect([status('/repos/x'), status('/user'), status('/repos/x'), status('/repos/x')]).toEqual([
    500,
    502,
    500,
    undefined,
  ]);
  expect(faults.list()).toEqual([]);
});

it('keeps rules for other methods, events and actions', () => {
  const faults = createFaults();
  faults.add({ kind: 'cut-after', method: 'post' });
  faults.add({ kind: 'drop-hook', event: 'issues.labeled' });
  expect(faults.takeRequestFault('GET', '/')).toBeUndefined();
  expect(faults.takeHookFault('drop-hook', 'issues', 'opened')).toBeUndefined();
  expect(faults.takeHookFault('duplicate-hook', 'issues', 'labeled')).toBeUndefined();
  expect(faults.takeHookFault('drop-hook', 'issues', 'labeled')?.left).toBe(0);
  expect(faults.takeRequestFault('POST', '/')?.kind).toBe('cut-after');
});
