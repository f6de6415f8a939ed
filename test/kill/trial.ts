import { createHash } from 'node:crypto';
import type { Failpoint } from '../../src/telemetry/failpoint.ts';

/** How the product is set up: app and worker apart on Postgres and Redis, or both in one process on the embedded database. */
export type Topology = 'server' | 'up';

/** What is killed or put to sleep. */
export type Role = 'app' | 'worker' | 'up';

export type RunnerName = 'local' | 'docker';

/** One experiment. Its name says all of it: `npm run replay -- NAME` does it again. */
export type Trial =
  | {
      readonly kind: 'kill' | 'zombie' | 'poison' | 'spare';
      readonly topology: Topology;
      readonly runner: RunnerName;
      readonly role: Role;
      readonly point: Failpoint;
      readonly hit: number;
    }
  | { readonly kind: 'random'; readonly topology: Topology; readonly runner: RunnerName; readonly seed: number }
  | { readonly kind: 'crowd'; readonly topology: Topology; readonly runner: RunnerName; readonly seed: number };

/** `kill:server:local:worker:push.after-effect:1`, `random:up:local:17`. */
export function nameOf(trial: Trial): string {
  const { kind, topology, runner } = trial;
  return 'point' in trial
    ? [kind, topology, runner, trial.role, trial.point, trial.hit].join(':')
    : [kind, topology, runner, trial.seed].join(':');
}

/** The trial of a name. Throws when there is none of that name. */
export function trialNamed(name: string): Trial {
  const pointed =
    /^(kill|zombie|poison|spare):(server|up):(local|docker):(app|worker|up):([a-z-]+\.[a-z-]+):(\d+)$/.exec(name);
  if (pointed !== null) {
    const [, kind, topology, runner, role, point, hit] = pointed;
    return { kind, topology, runner, role, point, hit: Number(hit) } as Trial;
  }
  const seeded = /^(random|crowd):(server|up):(local|docker):(\d+)$/.exec(name);
  if (seeded === null)
    throw new Error(`"${name}" names no trial; one is called like kill:server:local:worker:push.after-effect:1`);
  const [, kind, topology, runner, seed] = seeded;
  return { kind, topology, runner, seed: Number(seed) } as Trial;
}

/** A number in [0, 1) that is always the same for the same words. */
export function chance(...words: readonly (string | number)[]): number {
  return createHash('sha256').update(words.join('/')).digest().readUInt32BE() / 2 ** 32;
}
