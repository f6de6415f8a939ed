import { existsSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureImage } from '../setup/agent-image.ts';
import { startDocker } from '../setup/docker.ts';
import { startPostgres } from '../setup/postgres.ts';
import { startRedis } from '../setup/redis.ts';
import type { EffectName } from '../../src/telemetry/failpoint.ts';
import { comingBackWith } from './coming-back.ts';
import { runTrial } from './run-trial.ts';
import { trialNamed, nameOf, type Trial } from './trial.ts';
import { openWorld, type Components, type World } from './world.ts';
import { planned, type Plan } from './plan.ts';

/** Trials in one world: the local GitHub remembers so many requests, and a log grows. */
const PER_WORLD = 40;

/**
 * `test:kill [FAMILY…] [OPTION…]` does them all and reports (docs/testing.md has the options); `replay NAME` does one and shows
 * what was logged. Exit code 1 when one fails.
 */
async function main(argv: readonly string[]): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const docker = argv.some((word) => /\bdocker\b/.test(word)) ? stack.use(await startDocker()) : undefined;
  const components: Components = {
    postgresUrl: stack.use(await startPostgres()).url,
    redisUrl: stack.use(await startRedis()).url,
    dockerHost: docker?.host,
    agentImage: docker === undefined ? undefined : await ensureImage(docker.host),
  };
  if (argv[0] === 'replay') return await replay(components, argv.slice(1));
  return await all(components, await planned(components, argv));
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

/** Does trials, in several worlds at the same time, and reports. */
async function all(components: Components, { trials, lanes, progress, forMs }: Plan): Promise<number> {
  const done = new Set(await doneBefore(progress));
  const left = trials.filter((trial) => !done.has(nameOf(trial)));
  if (left.length < trials.length) console.log(`${trials.length - left.length} of ${trials.length} held before`);
  const tally: Tally = { total: left.length, begun: 0, recoveries: [], broken: [], missed: 0 };
  const began = Date.now();
  const queue = whileThereIsTime(left, began + forMs);
  await Promise.all(
    Array.from(
      { length: lanes },
      async () => await throughOneWorldAfterAnother(components, queue, { tally, progress }),
    ),
  );
  const sorted = tally.recoveries.toSorted((a, b) => a - b);
  console.log(
    `${tally.begun} trials: ${tally.begun - tally.broken.length} held (${tally.missed} of them not hit), ${tally.broken.length} broken; ${Math.round((Date.now() - began) / 1000)} s`,
  );
  console.log(
    `next step after a cut: median ${sorted[Math.floor(sorted.length / 2)] ?? '-'} ms, worst ${sorted.at(-1) ?? '-'} ms`,
  );
  if (tally.begun < left.length) console.log(`${left.length - tally.begun} are left for another time`);
  for (const name of tally.broken) console.log(`npm run replay -- ${name}`);
  return tally.broken.length > 0 ? 1 : 0;
}

function* whileThereIsTime(trials: readonly Trial[], until: number): Generator<Trial, undefined> {
  for (const trial of trials) {
    if (Date.now() > until) return undefined;
    yield trial;
  }
  return undefined;
}

interface Tally {
  readonly total: number;
  begun: number;
  readonly recoveries: number[];
  readonly broken: string[];
  missed: number;
}

/** Takes trials from the queue until it is empty. */
async function throughOneWorldAfterAnother(
  components: Components,
  queue: Iterator<Trial>,
  { tally, progress }: { readonly tally: Tally; readonly progress: string | undefined },
): Promise<void> {
  let world: World | undefined;
  let used = 0;
  let kind = '';
  for (let next = queue.next(); next.done !== true; next = queue.next()) {
    const trial = next.value;
    const wanted = `${trial.topology} ${trial.runner}`;
    if (world === undefined || used >= PER_WORLD || wanted !== kind) {
      await world?.[Symbol.asyncDispose]();
      world = await openWorld(components, trial);
      used = 0;
      kind = wanted;
    }
    const isAlone = needsNewWorld(trial);
    if (isAlone && used > 0) {
      await world[Symbol.asyncDispose]();
      world = await openWorld(components, trial);
    }
    used = isAlone ? PER_WORLD : used + 1;
    tally.begun += 1;
    const at = tally.begun;
    const name = nameOf(trial);
    const { problems, hit, recoveryMs, tookMs, log } = await runTrial(world, trial);
    if (recoveryMs !== undefined) tally.recoveries.push(recoveryMs);
    if (!hit) tally.missed += 1;
    const word = problems.length > 0 ? 'BROKEN' : hit ? 'held' : 'not hit';
    console.log(`${at}/${tally.total} ${name}: ${word}, ${tookMs} ms, next step after ${recoveryMs ?? '-'} ms`);
    if (problems.length === 0) {
      if (progress !== undefined) await appendFile(progress, `${name}\n`);
      continue;
    }
    tally.broken.push(name);
    for (const problem of problems) console.log(`  ${problem}`);
    const file = path.join(tmpdir(), `maestro-${name.replaceAll(':', '-')}.log`);
    await writeFile(file, `${log.join('\n')}\n`);
    console.log(`  what was logged: ${file}`);
    console.log(`  again: npm run replay -- ${name}`);
    // What one trial broke must not be held against the next.
    used = PER_WORLD;
  }
  await world?.[Symbol.asyncDispose]();
}

function needsNewWorld(trial: Trial): boolean {
  return 'point' in trial && comingBackWith(trial.point.split('.')[0] as EffectName)?.alone === true;
}

/** The names of the trials that held in earlier invocations. */
async function doneBefore(progress: string | undefined): Promise<readonly string[]> {
  if (progress === undefined || !existsSync(progress)) return [];
  return (await readFile(progress, 'utf8')).split('\n');
}

process.exitCode = await main(process.argv.slice(2));
process.exit();
