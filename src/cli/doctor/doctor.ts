import { openForge } from '../../compose/shared.ts';
import { modelEndpoint } from '../../compose/model-endpoint.ts';
import { createRunner, providersFor } from '../../compose/runner.ts';
import { ConfigError, readConfig, type Config } from '../../config.ts';
import { providerIds } from '../../providers/ids.ts';
import { findProvider } from '../../providers/registry.ts';
import { createLog } from '../../telemetry/log.ts';
import { agentExamination } from './agents.ts';
import { checkLines, examine, type Check } from './check.ts';
import { defaultsExamination } from './defaults.ts';
import { placeExaminations } from './places.ts';
import { registrationExamination } from './registration.ts';

export interface DoctorDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Print one JSON document, `{ ok, checks }`, instead of lines. */
  readonly json: boolean;
  /** Which providers to look at; those of the configuration when empty. */
  readonly providers: readonly string[];
  /** Whether each provider has one tiny conversation with its model, which costs about a cent. */
  readonly calls: boolean;
  readonly write: (text: string) => void;
}

/**
 * `maestro doctor`: looks at everything a run needs, one after another, and says of each how it is and what to do about it. Changes
 * nothing. Answers the exit code: 0 when nothing failed, 1 when something did, 78 when there is no usable configuration.
 */
export async function doctorCommand(deps: DoctorDeps): Promise<number> {
  let config: Config;
  try {
    config = readConfig(deps.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    report(deps, [
      { name: 'configuration', state: 'failed', detail: error.message, advice: 'docs/settings.md lists every key.' },
    ]);
    return 78;
  }
  const log = createLog({ level: 'silent' });
  await using stack = new AsyncDisposableStack();
  const forge = openForge(config, log);
  stack.defer(() => forge.close().catch(() => undefined));
  const examinations = [
    ...placeExaminations(config, log),
    registrationExamination(forge),
    defaultsExamination(forge),
    agentExamination({
      config,
      log,
      providers: deps.providers.length > 0 ? deps.providers : providersOf(config),
      required: deps.providers.length > 0 ? deps.providers : config.MAESTRO_PROVIDER,
      calls: deps.calls,
    }),
  ];
  const checks: Check[] = [{ name: 'configuration', state: 'ok', detail: 'readable' }];
  if (!deps.json) report(deps, checks);
  for (const examination of examinations) {
    const found = await examine(examination);
    checks.push(...found);
    if (!deps.json) report(deps, found);
  }
  if (deps.json) report(deps, checks);
  const failed = checks.filter(({ state }) => state === 'failed').length;
  if (!deps.json)
    deps.write(failed === 0 ? '\nMaestro is well.\n' : `\n${failed} of ${checks.length} checks failed.\n`);
  return failed === 0 ? 0 : 1;
}

function report({ json, write }: DoctorDeps, checks: readonly Check[]): void {
  if (json) write(`${JSON.stringify({ ok: checks.every(({ state }) => state !== 'failed'), checks }, undefined, 2)}\n`);
  else for (const check of checks) write(checkLines(check));
}

/** The provider of runs that name none, and every other whose model has a key. */
function providersOf(config: Config): readonly string[] {
  const all = providersFor(createRunner(config, createLog({ level: 'silent' })));
  return providerIds.filter((id) => {
    const protocol = findProvider(all, id)?.protocol;
    return (
      config.MAESTRO_PROVIDER.includes(id) || (protocol !== undefined && modelEndpoint(config, protocol) !== undefined)
    );
  });
}
