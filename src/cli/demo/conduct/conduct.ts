import { chooseRunner } from '../place.ts';
import { openWorld } from '../world.ts';
import type { Scene } from './scene.ts';
import { SCENES } from './scenes.ts';
import { UNDERSTUDY } from './scenes/failover.ts';
import { Stage } from './stage.ts';

interface ConductOptions {
  readonly json: boolean;
  /** Docker if there is an engine, else the local runner, when not said. */
  readonly runner?: 'docker' | 'local';
}

interface Step {
  readonly name: Scene['name'];
  readonly ok: boolean;
  /** What there was to see, or why it failed. */
  readonly detail: string;
}

/** Scenes that are played at the same time. */
const AT_ONCE = 3;

/**
 * Shows how a run is conducted from its thread, each thing on an issue of its own, and what the thread looked like meanwhile.
 * Gives the exit code: 0 only if everything went as promised and nothing was left behind.
 */
export async function conduct(options: ConductOptions): Promise<number> {
  const runner = await chooseRunner({ ...options, provider: 'scripted' }, say);
  if (runner === undefined) return 1;
  const world = await openWorld({
    provider: 'scripted',
    runner,
    logLevel: process.env['LOG_LEVEL'] || 'fatal',
    understudy: UNDERSTUDY,
    env: { MAESTRO_CONCURRENCY: String(AT_ONCE) },
  });
  let leftovers = 0;
  const steps: Step[] = [];
  try {
    say(`${SCENES.length} things are shown, ${AT_ONCE} at a time; each is told when it is over.`);
    const waiting = [...SCENES];
    const played = new Map<Scene, { readonly step: Step; readonly told: string }>();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let scene = waiting.shift(); scene !== undefined; scene = waiting.shift()) {
          const stage = new Stage(world);
          const step = await play(scene, stage);
          played.set(scene, { step, told: stage.told });
          say(`\n── ${scene.title} ──\n\n${stage.told}\n\n${step.ok ? '✔' : '✖'} ${step.name}: ${step.detail}`);
        }
      }),
    );
    steps.push(...SCENES.flatMap((scene) => played.get(scene)?.step ?? []));
  } finally {
    leftovers = await world.close();
  }
  const good = steps.filter(({ ok }) => ok).length;
  say(`\n${good} of ${steps.length} as promised.`);
  if (leftovers > 0) say(`${leftovers} things were left behind and have been removed; that is a defect.`);
  if (options.json) process.stdout.write(`${JSON.stringify({ steps, leftovers })}\n`);
  return good === SCENES.length && leftovers === 0 ? 0 : 1;
}

async function play({ name, play: run }: Scene, stage: Stage): Promise<Step> {
  try {
    return { name, ok: true, detail: await run(stage) };
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** For people: on standard error, so that standard output stays the answer. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
