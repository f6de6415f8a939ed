import { others, restarted } from './cast.ts';
import { judged } from './judge.ts';
import type { Trial } from './trial.ts';
import { ask, SPARING } from './work.ts';
import type { World } from './world.ts';

/** The effects of the Docker runner. */
export const OF_LANES = ['container', 'lane', 'session', 'clean', 'discard'] as const;

/**
 * The worker dies at a point of a run that starts from a prepared tree, ends, leaves a spare lane, and is opened again, which takes
 * the spare; another worker takes its place.
 */
export async function killSparing(
  world: World,
  trial: Extract<Trial, { readonly point: unknown }>,
): Promise<{ readonly problems: readonly string[]; readonly hit: boolean }> {
  const victim = await restarted(world, 'worker', { MAESTRO_FAILPOINTS: `${trial.point}=kill@${trial.hit}` });
  await others(world, 'worker');
  const place = await world.place();
  let isOn = true;
  const back = victim.ended.then(async (how) => {
    if (isOn && how === 'SIGKILL') await restarted(world, 'worker');
  });
  back.catch(() => {});
  const issue = await ask(place, SPARING);
  const { problems } = await judged(world, place, issue, SPARING);
  isOn = false;
  const isHit = !victim.isAlive();
  // A worker that was to die and did not must not do so in the next trial.
  if (!isHit) await world.endAll('worker');
  await back;
  return { problems, hit: isHit };
}
