import type { PlaybookSettings, Problem } from './playbook.ts';

/** Where a repository keeps its defaults, and an organisation in its repository `.github`. */
export const SETTINGS_FILE = '.github/maestro.yml';

/** What of the defaults counts for a run, from the repository or from its owner's repository `.github`. */
export interface Defaults {
  readonly level: 'repository' | 'organisation';
  /** `owner/name` of the repository the file is in. */
  readonly repository: string;
  /** Of the version in force; undefined when there is none. */
  readonly blob: string | undefined;
  readonly settings: PlaybookSettings;
  /** What is wrong with the newest version, when that is not the one in force. */
  readonly problems?: readonly Problem[];
}

/** What a run remembers of each file its settings may have come from. */
export interface DefaultsUsed extends Pick<Defaults, 'level' | 'repository'> {
  readonly blob?: string;
  /** The settings that came from it, by the domain's names. */
  readonly settings: readonly (keyof PlaybookSettings)[];
  /** How many problems the newest version has, and the first of them, when it is not the one in force. */
  readonly broken?: { readonly count: number; readonly first: Problem };
}

/** Settings that go together: which provider takes over means nothing beside another provider, nor does a model. */
const TOGETHER: readonly (keyof PlaybookSettings)[] = ['provider', 'fallbacks', 'model'];

/** What goes before the settings of a playbook, and after all of them. */
interface Around {
  /** The provider the label or command names. */
  readonly asked: string | undefined;
  /** The provider of runs that name none. */
  readonly standard: string | undefined;
}

/**
 * The settings of a run: each from the nearest level that has it, the playbook first. A list of providers comes whole from one level, and
 * a model only with the provider it was named for: that of its own level, or the nearest below it.
 */
export function settle(
  playbook: PlaybookSettings,
  defaults: readonly Defaults[],
  around: Around,
): { readonly settings: PlaybookSettings; readonly used: readonly DefaultsUsed[] } {
  const levels = [playbook, ...defaults.map(({ settings }) => settings)];
  const from = new Map<keyof PlaybookSettings, number>();
  for (const [index, level] of levels.entries()) {
    for (const key of Object.keys(level) as (keyof PlaybookSettings)[]) {
      if (!TOGETHER.includes(key) && !from.has(key)) from.set(key, index);
    }
  }
  const provider = levels.findIndex((level) => level.provider !== undefined);
  if (provider !== -1) from.set('provider', provider);
  if (levels[provider]?.fallbacks !== undefined) from.set('fallbacks', provider);
  const model = modelLevel(levels, around);
  if (model !== undefined) from.set('model', model);
  const settings: PlaybookSettings = Object.fromEntries(
    [...from].map(([key, index]) => [key, levels[index]?.[key]] as const),
  );
  const used = defaults.map((file, index) =>
    usedOf(
      file,
      [...from].flatMap(([key, at]) => (at === index + 1 ? [key] : [])),
    ),
  );
  return { settings, used: used.filter(({ settings: keys, broken }) => keys.length > 0 || broken !== undefined) };
}

/** The level whose model is for the provider that does the work; undefined when none is. */
function modelLevel(levels: readonly PlaybookSettings[], { asked, standard }: Around): number | undefined {
  const index = levels.findIndex((level) => level.model !== undefined);
  if (index === -1) return undefined;
  const named = levels.find((level) => level.provider !== undefined)?.provider;
  const meantFor = levels.slice(index).find((level) => level.provider !== undefined)?.provider;
  // A playbook that names no provider leaves it to whoever asks which agent its model is for.
  if (index === 0 && meantFor === undefined) return index;
  return (meantFor ?? standard) === (asked ?? named ?? standard) ? index : undefined;
}

/** Where a setting of a run is written, for people: `the playbook`, or a file of defaults. */
export function writtenIn(run: { readonly defaults?: readonly DefaultsUsed[] }, key: keyof PlaybookSettings): string {
  const file = run.defaults?.find(({ settings }) => settings.includes(key));
  if (file === undefined) return 'the playbook';
  return file.level === 'repository' ? SETTINGS_FILE : `${SETTINGS_FILE} in ${file.repository}`;
}

function usedOf(
  { level, repository, blob, problems }: Defaults,
  settings: readonly (keyof PlaybookSettings)[],
): DefaultsUsed {
  const first = problems?.[0];
  return {
    level,
    repository,
    ...(blob === undefined ? {} : { blob }),
    settings,
    ...(problems === undefined || first === undefined ? {} : { broken: { count: problems.length, first } }),
  };
}
