import { expect, it } from 'vitest';
import { isLockfile, setupKey } from '../../src/domain/setup.ts';
import { findSetup } from '../../src/playbook/setup.ts';

const COPILOT = '.github/workflows/copilot-setup-steps.yml';

function reader(files: Readonly<Record<string, string>>): (path: string) => Promise<string | undefined> {
  return async (path) => await Promise.resolve(files[path]);
}

const EVERYTHING = {
  [COPILOT]: 'jobs:\n  copilot-setup-steps:\n    steps:\n      - run: echo copilot\n',
  '.openhands/setup.sh': 'echo openhands\n',
  '.devcontainer/devcontainer.json': '{ "postCreateCommand": "echo devcontainer" }',
};

it('is taken from the first place that has one: playbook, Copilot, OpenHands, devcontainer', async () => {
  expect((await findSetup({ commands: ['npm ci'], in: 'the playbook' }, reader(EVERYTHING)))?.source).toBe(
    'setup of the playbook',
  );
  const { [COPILOT]: _, ...others } = EVERYTHING;
  expect((await findSetup(undefined, reader(EVERYTHING)))?.source).toBe(COPILOT);
  expect(await findSetup(undefined, reader(others))).toMatchObject({
    source: '.openhands/setup.sh',
    runs: 'echo openhands\n',
  });
  const devcontainer = reader({ '.devcontainer/devcontainer.json': '{"postCreateCommand": "x"}' });
  expect((await findSetup(undefined, devcontainer))?.source).toBe('.devcontainer/devcontainer.json');
  expect(await findSetup({ commands: [], in: 'the playbook' }, devcontainer)).toBeUndefined();
  expect(await findSetup(undefined, reader({}))).toBeUndefined();
});

it("runs the commands of GitHub's workflow and says which steps it leaves out", async () => {
  const text = `
env: { A: 1 }
jobs:
  other: { steps: [{ run: echo no }] }
  copilot-setup-steps:
    runs-on: ubuntu-latest
    env: { B: "it's" }
    steps:
      - uses: actions/checkout@v5
      - name: Install
        working-directory: web
        run: |
          npm ci
          npm run build
      - name: Secret
        run: echo \${{ secrets.TOKEN }}
`;
  const found = await findSetup(undefined, reader({ [COPILOT]: text }));
  expect(found?.skipped).toEqual([
    "`actions/checkout@v5` is an action of GitHub's",
    '`Secret` needs values only GitHub has',
  ]);
  expect(found?.steps).toEqual([
    {
      name: 'Install',
      script:
        "cd 'web' || exit 1\nexport A='1'\nexport B='it'\\''s'\nexec bash -e -o pipefail -c 'npm ci\nnpm run build\n'",
    },
  ]);
});

it("runs a devcontainer's commands in its order, in each of their forms, comments and all", async () => {
  const text = `{
  // made by hand
  "postCreateCommand": { "one": "npm ci", "two": ["pip", "install", "it's"], },
  "onCreateCommand": "echo // first",
}`;
  const found = await findSetup(undefined, reader({ '.devcontainer.json': text }));
  expect(found?.steps.map(({ script }) => script)).toEqual(['echo // first', 'npm ci', `'pip' 'install' 'it'\\''s'`]);
});

it.each(['{', '[]', 'null', 'jobs: [', 'jobs:\n  copilot-setup-steps: 3'])(
  'has nothing to run in a file that is no configuration: %s',
  async (text) => {
    expect(
      await findSetup(
        undefined,
        reader({ [COPILOT]: text, '.devcontainer.json': text, '.devcontainer/devcontainer.json': text }),
      ),
    ).toBeUndefined();
  },
);

it('is another one when a lockfile, a command or the image changes, and the same when other files do', () => {
  const setup = { source: 's', steps: [{ name: 'a', script: 'npm ci' }], skipped: [] };
  const lock = { path: 'web/package-lock.json', oid: '1' };
  const key = setupKey({ setup, files: [lock, { path: 'a.ts', oid: '2' }], image: 'i' });
  expect(key).toMatch(/^[a-z2-7]{20}$/);
  expect(setupKey({ setup, files: [{ path: 'a.ts', oid: '3' }, lock], image: 'i' })).toBe(key);
  expect(setupKey({ setup, files: [{ ...lock, oid: '9' }], image: 'i' })).not.toBe(key);
  expect(setupKey({ setup, files: [lock], image: 'j' })).not.toBe(key);
  expect(setupKey({ setup: { ...setup, steps: [] }, files: [lock], image: 'i' })).not.toBe(key);
  expect(setupKey({ setup: { ...setup, runs: 'x' }, files: [lock], image: 'i' })).not.toBe(key);
});

it.each(['package-lock.json', 'a/b/yarn.lock', 'requirements-dev.txt', 'uv.lock', 'Cargo.lock', 'go.sum'])(
  '%s says which dependencies there are',
  (path) => {
    expect(isLockfile(path)).toBe(true);
    expect(isLockfile(`${path}.md`)).toBe(false);
  },
);
