import { expect, it } from 'vitest';
import { defaultsExamination } from '../../src/cli/doctor/defaults.ts';
import { ForgeError, type Forge, type Survey } from '../../src/forge/forge.ts';

/** A look at repositories whose `.github/maestro.yml` are these; one that is an error can't be read. */
async function look(files: Readonly<Record<string, string | Error | undefined>>) {
  const forge: Pick<Survey, 'installedRepositories'> & Pick<Forge, 'readFile'> = {
    installedRepositories: async () =>
      Object.keys(files).map((name, id) => ({
        repository: { id, owner: 'acme', name, installationId: 1, defaultBranch: 'main' },
        installedAt: 0,
      })),
    readFile: async ({ name }) => {
      const text = files[name];
      if (text instanceof Error) throw text;
      return text === undefined ? undefined : { text, blob: 'b' };
    },
  };
  return await defaultsExamination(forge).examine();
}

it('tells of each repository whose defaults are broken, where, and what to write instead', async () => {
  const files = { web: 'effort: low\nverfiy: x\n', api: 'verify: npm test\n', none: undefined };
  expect(await look(files)).toEqual([
    {
      name: 'defaults',
      state: 'warning',
      detail: 'acme/web: .github/maestro.yml:2:1: `verfiy` is not a setting of `.github/maestro.yml`.',
      advice: 'Did you mean `verify`?',
    },
  ]);
});

it('is content with those that are sound, that are not there, and that it may not see', async () => {
  const files = { api: 'verify: npm test\n', none: undefined, gone: new ForgeError('gone', 'not there') };
  expect(await look(files)).toEqual([
    { name: 'defaults', state: 'ok', detail: '1 of 3 looked at have a .github/maestro.yml, none is broken' },
  ]);
});
