import { homedir } from 'node:os';
import path from 'node:path';
import { Command, Option } from 'commander';
import { providerIds } from '../providers/ids.ts';
import type { Provider } from '../providers/provider.ts';
import type { Home } from './sessions/discover.ts';

/** Where CLIs were told to keep their things, by the variable that says so. */
const MOVED = {
  '.claude': 'CLAUDE_CONFIG_DIR',
  '.codex': 'CODEX_HOME',
  '.local/share': 'XDG_DATA_HOME',
  '.copilot': 'COPILOT_CONFIG_DIR',
} as const;

const HOME_OPTION = [
  '--home <dir...>',
  'directories that hold .claude, .codex and the like; your own when not said',
] as const;

const write = {
  out: (text: string): void => void process.stdout.write(text),
  error: (text: string): void => void process.stderr.write(text),
};

/** `maestro sessions`, with `import` below it. */
export function sessionsProgram(): Command {
  const program = new Command('sessions')
    .description("list conversations of agents: those kept of runs, and those of this machine's own CLIs")
    .addOption(new Option('--provider <name>', 'only those of one agent').choices([...providerIds]))
    .option('--repository <owner/name>', 'only those about one repository')
    .option(...HOME_OPTION)
    .option('--limit <n>', 'lines shown; 0 for all', Number, 50)
    .option('--json', 'print one JSON document', false)
    .action(
      async (options: { provider?: string; repository?: string; home?: string[]; limit: number; json: boolean }) => {
        const { provider, repository, home, limit, json } = options;
        const [{ shelfIn }, { sessionsCommand }] = await Promise.all([
          import('../compose/shelf.ts'),
          import('./sessions/list.ts'),
        ]);
        const shelf = shelfIn(process.env['MAESTRO_HOME'] ?? path.join(homedir(), '.maestro'));
        process.exitCode = await sessionsCommand({
          homes: homes(home),
          providers: await providersHere(),
          shelf,
          provider,
          repository,
          json,
          limit,
          write,
        });
      },
    );
  program
    .command('import')
    .argument('<id>', 'the id of a conversation, as listed')
    .description(
      'keep a conversation of a CLI of this machine for runs on its repository; needs the configuration of `maestro up`',
    )
    .option('--repository <owner/name>', 'the repository it is about, where it does not tell')
    .option(...HOME_OPTION)
    .action(async (id: string, _, command: Command) => {
      // An option both have is taken by the outer one.
      const { repository, home } = command.optsWithGlobals<{ repository?: string; home?: string[] }>();
      const [{ readConfig }, { createLog }, { openForge }, { shelfOf }, { importCommand }] = await Promise.all([
        import('../config.ts'),
        import('../telemetry/log.ts'),
        import('../compose/shared.ts'),
        import('../compose/shelf.ts'),
        import('./sessions/import.ts'),
      ]);
      const config = readConfig(process.env);
      const log = createLog({ level: 'error' });
      const forge = openForge(config, log);
      const providers = await providersHere();
      const repositories = async (): ReturnType<Parameters<typeof importCommand>[0]['repositories']> =>
        (await forge.installedRepositories()).map((one) => one.repository);
      const shelf = shelfOf(config, log, new Set());
      const deps = { homes: homes(home), providers, shelf, repositories, id, repository, now: Date.now(), write };
      try {
        process.exitCode = await importCommand(deps);
      } finally {
        await forge.close();
      }
    });
  return program;
}

async function providersHere(): Promise<readonly Provider[]> {
  const { createProviders } = await import('../providers/registry.ts');
  return Object.values(createProviders({ scriptedAgent: '' }));
}

function homes(named: readonly string[] | undefined): readonly Home[] {
  if (named !== undefined) return named.map((directory) => ({ directory: path.resolve(directory) }));
  const moved = Object.entries(MOVED).flatMap(([below, variable]) => {
    const to = process.env[variable];
    return to === undefined || to === '' ? [] : [[below, to] as const];
  });
  return [{ directory: homedir(), moved: Object.fromEntries(moved) }];
}
