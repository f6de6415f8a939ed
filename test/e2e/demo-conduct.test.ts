import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { SCENES } from '../../src/cli/demo/conduct/scenes.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** Half a minute on a machine with nothing else to do. */
const PATIENCE_MS = 900_000;

it(
  'the demonstration of conducting a run shows everything it promises, and leaves nothing behind',
  async () => {
    const { stdout, stderr, exitCode } = await execa(
      process.execPath,
      ['src/cli/main.ts', 'demo', '--scenario', 'conduct', '--json', '--runner', 'local'],
      { cwd: ROOT, reject: false, timeout: PATIENCE_MS },
    );
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
      readonly steps: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
      readonly leftovers: number;
    };

    expect(result.steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(result.steps.map(({ name }) => name).toSorted()).toEqual(SCENES.map(({ name }) => name).toSorted());
    expect(result.leftovers).toBe(0);
    expect(exitCode).toBe(0);
    for (const { title } of SCENES) expect(stderr).toContain(`── ${title} ──`);
    expect(stderr).toContain('/maestro resume');
  },
  PATIENCE_MS,
);
