import { describe, expect, it } from 'vitest';
import { useHarness } from './suite.ts';

/** More than any disk has free: what a nearly full one looks like to the worker. */
const ALL_AND_MORE_MB = 1_000_000_000;

describe("when the worker's disk is nearly full", () => {
  const suite = useHarness({ runner: 'local', env: { MAESTRO_DISK_FLOOR_MB: String(ALL_AND_MORE_MB) } });

  it('no agent is started; the run waits, says how much is missing, and can be stopped', async () => {
    const place = await suite.place();
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    await place.label(issue);
    const told = await place.until('the comment', async () =>
      (await place.answers(issue)).find((answer) => answer.includes('nearly full')),
    );
    expect(told).toMatch(/disk is nearly full: \d+ MB left, 1000000000 MB needed to begin a task/);
    await place.comment(issue, '/maestro stop');
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'stopped', tasks: [{ attempts: 0 }] });
    expect(await place.pulls()).toEqual([]);
  });
});
