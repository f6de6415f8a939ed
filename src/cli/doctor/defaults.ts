import { readVersion } from '../../app/defaults.ts';
import { SETTINGS_FILE } from '../../domain/defaults.ts';
import { fullName } from '../../domain/repository.ts';
import type { Forge, Survey } from '../../forge/forge.ts';
import type { Check, Examination } from './check.ts';

/** Repositories that are looked into: each takes a request or two. */
const MOST = 50;

/** The defaults of the repositories the App is installed on: those that can't be read count for nothing, and their people may not know. */
export function defaultsExamination(
  forge: Pick<Survey, 'installedRepositories'> & Pick<Forge, 'readFile'>,
): Examination {
  return {
    name: 'defaults',
    examine: async () => {
      const installed = (await forge.installedRepositories()).slice(0, MOST);
      const checks: Check[] = [];
      let sound = 0;
      for (const { repository } of installed) {
        const version = await readVersion(forge, repository, repository.defaultBranch).catch(() => undefined);
        const [first] = version?.problems ?? [];
        if (first === undefined) sound += version === undefined ? 0 : 1;
        else {
          const detail = `${fullName(repository)}: ${SETTINGS_FILE}:${first.line}:${first.column}: ${first.message}`;
          checks.push({ name: 'defaults', state: 'warning', detail, advice: first.fix });
        }
      }
      if (checks.length > 0) return checks;
      const detail = `${sound} of ${installed.length} looked at have a ${SETTINGS_FILE}, none is broken`;
      return [{ name: 'defaults', state: 'ok', detail }];
    },
  };
}
