import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { providerIds } from '../providers/ids.ts';
import type { DemoOptions } from './demo/demo.ts';
import type * as Keys from './keys/keys.ts';
import { KEY_PROTOCOLS } from './keys/protocols.ts';
import { sessionsProgram } from './sessions.ts';

// Each command loads what it needs by itself: all of it together takes seconds.

const program = new Command('maestro')
  .description('Conducts AI coding agents on GitHub: issues and playbooks in, pull requests out.')
  .showHelpAfterError();

program
  .command('up')
  .description('run app and worker in one process, configured by the environment')
  .action(async () => {
    const [{ runProcess }, { starting }] = await Promise.all([import('../process.ts'), import('../compose/start.ts')]);
    await runProcess(starting('worker', 'app'));
  });

program
  .command('plan')
  .argument('<file>', 'a markdown file')
  .option('--json', 'print one JSON document')
  .description('print the tasks of a playbook and its problems; exit code 2 if it has any')
  .action(async (file: string, options: { json?: boolean }) => {
    const { planCommand } = await import('./plan.ts');
    process.exitCode = await planCommand({
      file,
      json: options.json ?? false,
      read: (path) => readFile(path),
      write: { out: (text) => void process.stdout.write(text), error: (text) => void process.stderr.write(text) },
    });
  });

program
  .command('lint')
  .argument('[files...]', 'playbooks and .github/maestro.yml; those of the repository here when not said')
  .option('--json', 'print one JSON document')
  .description('say what is wrong with playbooks and defaults, asking nobody; exit code 2 if anything is')
  .action(async (files: readonly string[], options: { json?: boolean }) => {
    const { filesBelow, lintCommand } = await import('./lint.ts');
    process.exitCode = await lintCommand({
      files,
      json: options.json ?? false,
      providers: providerIds,
      read: (path) => readFile(path),
      list: filesBelow,
      write: { out: (text) => void process.stdout.write(text), error: (text) => void process.stderr.write(text) },
    });
  });

program
  .command('doctor')
  .option('--json', 'print one JSON document', false)
  .option('--provider <names...>', 'providers to look at; those with a key when not said')
  .option('--no-calls', 'ask no model anything')
  .description('look at everything a run needs and say what to do about it; exit code 1 if something failed')
  .action(async (options: { json: boolean; provider?: string[]; calls: boolean }) => {
    const [{ readEnvFile }, { doctorCommand }] = await Promise.all([
      import('../env-file.ts'),
      import('./doctor/doctor.ts'),
    ]);
    readEnvFile();
    process.exitCode = await doctorCommand({
      env: process.env,
      json: options.json,
      providers: options.provider ?? [],
      calls: options.calls,
      write: (text) => void process.stdout.write(text),
    });
  });

program
  .command('explain')
  .argument('<thread>', 'an issue or pull request, as owner/repo#123')
  .option('--json', 'print one JSON document', false)
  .description('say why the run of an issue or pull request is, or is not, being worked on')
  .action(async (thread: string, { json }: { json: boolean }) => {
    const { explainHere } = await import('./explain.ts');
    process.exitCode = await explainHere(thread, json);
  });

const keys = program.command('keys').description('model keys that installations have of their own, kept sealed');
keys
  .command('set')
  .requiredOption('--installation <id or owner>', 'the installation: its id, or the account that has the App')
  .requiredOption('--protocol <name>', `what the key is for: ${KEY_PROTOCOLS.join(', ')}`)
  .description('keep a key, read from standard input')
  .action(async (which: Keys.WhichKey) => await withKeys(async (deps, { setKey }) => await setKey(deps, which)));
keys
  .command('remove')
  .requiredOption('--installation <id or owner>', 'the installation: its id, or the account that has the App')
  .requiredOption('--protocol <name>', `what the key is for: ${KEY_PROTOCOLS.join(', ')}`)
  .description('forget a key')
  .action(async (which: Keys.WhichKey) => await withKeys(async (deps, { removeKey }) => await removeKey(deps, which)));
keys
  .command('list')
  .description('say what keys there are')
  .action(async () => await withKeys(async (deps, { listKeys }) => await listKeys(deps)));
keys
  .command('reseal')
  .description('seal all keys anew after MAESTRO_KEYS_SECRET was changed')
  .action(async () => await withKeys(async (deps, { resealKeys }) => await resealKeys(deps)));

program
  .command('demo')
  .description('show the main job end to end on this machine, with a GitHub of its own')
  .option('--json', 'print one JSON document as the last line', false)
  .option('--playbook <file>', 'run a playbook of your own')
  .addOption(new Option('--provider <name>', 'the agent').choices([...providerIds]).default('scripted'))
  .addOption(
    new Option('--runner <name>', 'where agents run; docker if there is an engine').choices(['docker', 'local']),
  )
  .option('--keep', 'leave everything up to look at', false)
  .addOption(
    new Option('--scenario <name>', 'show something else: how a run is conducted from its thread').choices(['conduct']),
  )
  .action(async (options: DemoOptions & { readonly scenario?: 'conduct' }) => {
    const start =
      options.scenario === 'conduct'
        ? (await import('./demo/conduct/conduct.ts')).conduct
        : (await import('./demo/demo.ts')).demo;
    process.exitCode = await start(options);
  });

program.addCommand(sessionsProgram());

await program.parseAsync();

async function withKeys(work: (deps: Keys.KeysDeps, keys: typeof Keys) => Promise<void>): Promise<void> {
  const [{ withKeys: opened }, keys] = await Promise.all([import('./keys/with-keys.ts'), import('./keys/keys.ts')]);
  await opened(async (deps) => await work(deps, keys));
}
