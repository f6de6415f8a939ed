import { readdir, readFile } from 'node:fs/promises';
import { createProviders } from '../src/providers/registry.ts';
import type { Bench, Figure } from './figure.ts';
import { median } from './statistics.ts';

const FIXTURES = new URL('../test/fixtures/transcripts/', import.meta.url);

/** Lines of one round: the recorded ones, over and over. */
const LINES = 20_000;

/** How many lines a second each codec turns into events, of what its CLI really printed, beside `JSON.parse` alone. */
export const codecs: Bench = async ({ quick, say }) => {
  const figures: Figure[] = [];
  for (const provider of Object.values(createProviders({ scriptedAgent: '' }))) {
    if (provider.cli === undefined) continue;
    const recorded = await linesOf(provider.id);
    const lines = Array.from({ length: Math.ceil(LINES / recorded.length) }, () => recorded).flat();
    say(`${provider.id}: ${recorded.length} recorded lines`);
    const decoding: number[] = [];
    const parsing: number[] = [];
    const rounds = quick ? 5 : 15;
    for (let round = 0; round <= rounds; round += 1) {
      const [parsed, decoded] = [rateOf(lines, JSON.parse), rateOf(lines, (line) => provider.decode(line))];
      // The first round warms up.
      if (round > 0) parsing.push(parsed);
      if (round > 0) decoding.push(decoded);
    }
    figures.push({
      name: `codec of ${provider.id}`,
      ours: median(decoding),
      baseline: median(parsing),
      unit: 'lines/s',
      target: { least: 0.5 },
      note: `the ${recorded.length} lines of its recorded conversations, ${Math.round(lengthOf(recorded))} characters each on average; baseline: JSON.parse alone of the same lines`,
    });
  }
  return figures;
};

/** The JSON lines of all recorded conversations of a provider. */
async function linesOf(provider: string): Promise<readonly string[]> {
  const directory = new URL(`${provider}/`, FIXTURES);
  const files = (await readdir(directory)).filter((file) => file.endsWith('.jsonl'));
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, directory), 'utf8')));
  // What is no JSON at all costs JSON.parse an exception, and the codec a look: that is nothing to compare.
  return texts.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('{') && line.endsWith('}'));
}

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length, 0) / lines.length;
}

function rateOf(lines: readonly string[], read: (line: string) => unknown): number {
  const began = performance.now();
  for (const line of lines) read(line);
  return lines.length / ((performance.now() - began) / 1000);
}
