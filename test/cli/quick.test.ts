import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const PLAYBOOK = fileURLToPath(new URL('../../README.md', import.meta.url));

/** Says which files a program loads. */
const WATCH = `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { process.stderr.write('loaded ' + url + '\\n'); return next(url, context); } });`;

function loadedBy(...argv: readonly string[]): readonly string[] {
  const { stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(WATCH)}`, MAIN, ...argv],
    { encoding: 'utf8' },
  );
  return stderr.split('\n').filter((line) => line.startsWith('loaded file:'));
}

it.each([[['--help']], [['demo', '--help']], [['sessions', '--help']], [['plan', PLAYBOOK]], [['lint', PLAYBOOK]]])(
  'maestro %j does not wait for the app and the worker to be loaded',
  (argv) => {
    const loaded = loadedBy(...argv);
    expect(loaded).toContainEqual(expect.stringContaining('/src/cli/main.ts'));
    expect(
      loaded.filter((line) => /\/src\/(compose|workers|app|store)\/|\/node_modules\/(probot|bullmq)\//.test(line)),
    ).toEqual([]);
  },
);
