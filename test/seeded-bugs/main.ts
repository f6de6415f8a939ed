import { parseArgs } from 'node:util';
import { SEEDED_BUGS } from './bugs.ts';
import { copySource } from './copy.ts';

/**
 * Puts one known mistake after the other into a copy of the source and shows that the tests notice: `npm run test:seeded-bugs`, with
 * `--only TEXT` for those whose name holds it. The same tests have to pass without it first. Exit code 1 when one survives or can't be put in.
 */
const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
await using copy = await copySource();
const bugs = SEEDED_BUGS.filter((bug) => bug.name.includes(values.only));
let caught = 0;
for (const bug of bugs) {
  const began = performance.now();
  const said = await tryOut(bug);
  if (said === undefined) caught += 1;
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(
    `${said === undefined ? 'caught  ' : 'SURVIVED'}  ${bug.promise.padEnd(3)}  ${bug.name}  (${seconds} s)${said === undefined ? '' : `\n${said}`}`,
  );
}
console.log(`${caught}/${bugs.length} caught`);
process.exitCode = caught === bugs.length && bugs.length > 0 ? 0 : 1;

/** Undefined when the bug is caught, else what happened instead. */
async function tryOut(bug: (typeof bugs)[number]): Promise<string | undefined> {
  const sound = await copy.test(bug);
  if (sound.failed > 0 || sound.passed === 0)
    return `without the bug ${sound.passed} tests pass and ${sound.failed} fail:\n${sound.output}`;
  await using planted = await copy.plant(bug);
  void planted;
  const { passed, failed, output } = await copy.test(bug);
  return failed > 0 ? undefined : `with it ${passed} tests pass and none fails:\n${output}`;
}
