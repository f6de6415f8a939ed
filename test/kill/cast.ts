import type { Running } from './product.ts';
import type { Role } from './trial.ts';
import type { World } from './world.ts';

/** A process of the role with something more in its environment, in the place of those that run. */
export async function restarted(
  world: World,
  role: Role,
  extra: Readonly<Record<string, string>> = {},
): Promise<Running> {
  await world.endAll(role);
  const one = await world.start(role, extra);
  if (extra['MAESTRO_FAILPOINTS'] === undefined) await one.ready();
  else await Promise.race([one.ready().catch(() => undefined), one.ended]);
  return one;
}

/** The processes of the other role. */
export async function others(world: World, role: Role): Promise<void> {
  if (role === 'up') return;
  await world.ensure(role === 'app' ? 'worker' : 'app');
}
