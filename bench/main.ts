import { parseArgs } from 'node:util';
import { codecs } from './codecs.ts';
import { cold } from './cold-start.ts';
import { createComponents } from './components.ts';
import { delivery } from './delivery.ts';
import { isMet, ratioOf, type Bench, type Figure } from './figure.ts';
import { growth } from './growth.ts';
import { images } from './images.ts';
import { lanes } from './lanes.ts';
import { log } from './log-path.ts';
import { machine } from './machine.ts';
import { writePage } from './page.ts';
import { recovery } from './recovery.ts';
import { plainTable } from './table.ts';
import { tasks } from './tasks.ts';
import { waiting } from './waiting.ts';

/** Every benchmark, in the order they run. */
const BENCHES: Readonly<Record<string, Bench>> = {
  delivery,
  tasks,
  growth,
  lanes,
  waiting,
  log,
  recovery,
  cold,
  codecs,
  images,
};

const USAGE = `Usage: npm run bench -- [--only NAME[,NAME]] [--quick] [--json] [--write]

  --only NAME  one of ${Object.keys(BENCHES).join(', ')}
  --quick      shorter measurements, for a look
  --json       one JSON document on standard output instead of the table
  --write      puts what was measured into docs/performance.md; what other runs put there stays

Exit code 1 when a figure misses its target or a benchmark breaks off.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const names = values.only?.split(',') ?? Object.keys(BENCHES);
  const unknown = names.filter((name) => BENCHES[name] === undefined);
  if (values.help || unknown.length > 0) {
    console.error(unknown.length > 0 ? `There is no benchmark called ${unknown.join(', ')}.\n\n${USAGE}` : USAGE);
    return unknown.length > 0 ? 2 : 0;
  }
  await using components = createComponents();
  const figures: Figure[] = [];
  const parts = new Map<string, readonly Figure[]>();
  let broke = false;
  for (const name of names) {
    const say = (text: string): void => console.error(`${name}: ${text}`);
    say('begins');
    const began = performance.now();
    try {
      const found = (await BENCHES[name]?.({ quick: values.quick, components, say })) ?? [];
      figures.push(...found);
      parts.set(name, found);
      say(`took ${Math.round((performance.now() - began) / 1000)} s\n${plainTable(found)}`);
    } catch (error) {
      broke = true;
      say(`broke off: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  const where = await machine();
  if (values.json) {
    const told = figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), met: isMet(figure) }));
    console.log(JSON.stringify({ ...where, quick: values.quick, figures: told }, undefined, 2));
  } else {
    console.log(plainTable(figures));
  }
  if (values.write) await writePage(parts, { where, isQuick: values.quick, order: Object.keys(BENCHES) });
  return !broke && figures.every(isMet) ? 0 : 1;
}

process.exitCode = await main();
