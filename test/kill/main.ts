import { startDocker } from '../setup/docker.ts';
import { startPostgres } from '../setup/postgres.ts';
import { startRedis } from '../setup/redis.ts';
import { runTrial } from './run-trial.ts';
import { trialNamed, nameOf, type Trial } from './trial.ts';
import { openWorld, type Components, type World } from './world.ts';
import { planned } from './plan.ts';

/** Trials in one world: the local GitHub remembers so many requests, and a log grows. */
const PER_WORLD = 40;

/**
 * `test:kill [FAMILY…] [--seeds N] [--random N] [--only TEXT]` does them all and reports; `replay NAME` does one and shows what
 * was logged. Exit code 1 when one fails.
 */
async function main(argv: readonly string[]): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const docker = await startDocker().catch(() => undefined);
  if (docker !== undefined) stack.use(docker);
  const components: Components = {
    postgresUrl: stack.use(await startPostgres()).url,
    redisUrl: stack.use(await startRedis()).url,
    dockerHost: docker?.host,
    agentImage: process.env['MAESTRO_IMAGE'] ?? 'maestro-agent:latest',
  };
  if (argv[0] === 'replay') return await replay(components, argv.slice(1));
  const trials = await planned(components, argv);
  return await all(components, trials);
}

async function replay(components: Components, names: readonly string[]): Promise<number> {
  let failed = 0;
  for (const name of names) {
    const trial = trialNamed(name);
    await using world = await openWorld(components, trial);
    const { problems, hit, recoveryMs, tookMs, log } = await runTrial(world, trial);
    console.log(log.join('\n'));
    console.log(
      `${name}: ${problems.length === 0 ? 'held' : 'BROKEN'}, ${hit ? 'hit' : 'not hit'}, ${tookMs} ms, next step after ${recoveryMs ?? '-'} ms`,
    );
    for (const problem of problems) console.log(`  ${problem}`);
    if (problems.length > 0) failed += 1;
  }
  return failed > 0 ? 1 : 0;
}

async function all(components: Components, trials: readonly Trial[]): Promise<number> {
  const recoveries: number[] = [];
  const broken: string[] = [];
  let missed = 0;
  let world: World | undefined;
  let used = 0;
  let kind = '';
  for (const [at, trial] of trials.entries()) {
    const wanted = `${trial.topology} ${trial.runner}`;
    if (world === undefined || used >= PER_WORLD || wanted !== kind) {
      await world?.[Symbol.asyncDispose]();
      world = await openWorld(components, trial);
      used = 0;
      kind = wanted;
    }
    used += 1;
    const name = nameOf(trial);
    const { problems, hit, recoveryMs, tookMs } = await runTrial(world, trial);
    if (recoveryMs !== undefined) recoveries.push(recoveryMs);
    if (!hit) missed += 1;
    const word = problems.length > 0 ? 'BROKEN' : hit ? 'held' : 'not hit';
    console.log(`${at + 1}/${trials.length} ${name}: ${word}, ${tookMs} ms, next step after ${recoveryMs ?? '-'} ms`);
    if (problems.length === 0) continue;
    broken.push(name);
    for (const problem of problems) console.log(`  ${problem}`);
    console.log(`  again: npm run replay -- ${name}`);
    // What one trial broke must not be held against the next.
    used = PER_WORLD;
  }
  await world?.[Symbol.asyncDispose]();
  const sorted = recoveries.toSorted((a, b) => a - b);
  console.log(
    `${trials.length} trials: ${trials.length - broken.length} held (${missed} of them not hit), ${broken.length} broken`,
  );
  console.log(
    `next step after a cut: median ${sorted[Math.floor(sorted.length / 2)] ?? '-'} ms, worst ${sorted.at(-1) ?? '-'} ms`,
  );
  for (const name of broken) console.log(`npm run replay -- ${name}`);
  return broken.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
process.exit();
