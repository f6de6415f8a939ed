import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import { watchJob, type JobWatch } from '../../src/runners/job-watch.ts';
import type { JobLimits } from '../../src/runners/runner.ts';

const LIMITS: JobLimits = { idleMs: 5_000, wallMs: 5_000, outputBytes: 100, memoryBytes: 1, cpus: 1, pids: 1 };

function watch(limits: Partial<JobLimits>, signal = new AbortController().signal): JobWatch {
  return watchJob({ limits: { ...LIMITS, ...limits }, signal, clock: systemClock });
}

describe('watchJob', () => {
  it('gives the first reason and keeps to it', async () => {
    const abort = new AbortController();
    const watched = watch({ wallMs: 30 }, abort.signal);
    expect(watched.reason()).toBeUndefined();
    expect(await watched.reached).toBe('wall');
    abort.abort();
    watched.heard(1_000);
    expect(watched.reason()).toBe('wall');
  });

  it('allows output up to the limit exactly', () => {
    const watched = watch({ outputBytes: 100 });
    expect([watched.heard(60), watched.heard(40)]).toEqual([60, 40]);
    expect(watched.reason()).toBeUndefined();
    expect([watched.heard(1), watched.heard(5)]).toEqual([0, 0]);
    expect(watched.reason()).toBe('output');
    const other = watch({ outputBytes: 100 });
    expect(other.heard(130)).toBe(100);
  });

  it('is patient as long as there is output', async () => {
    const watched = watch({ idleMs: 200 });
    for (let i = 0; i < 6; i += 1) {
      await delay(60);
      watched.heard(1);
    }
    expect(watched.reason()).toBeUndefined();
    expect(await watched.reached).toBe('idle');
  });

  it('counts no silence while the reader holds the job back', async () => {
    const watched = watch({ idleMs: 80 });
    watched.hold();
    await delay(250);
    expect(watched.reason()).toBeUndefined();
    watched.release();
    expect(await watched.reached).toBe('idle');
  });

  it('has no reason after it was stopped, and one from the start for an aborted signal', async () => {
    const watched = watch({ wallMs: 20, idleMs: 20 });
    watched.stop();
    await delay(60);
    expect(watched.reason()).toBeUndefined();
    expect(watch({}, AbortSignal.abort()).reason()).toBe('aborted');
  });
});
