import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { wireDirectory } from '../../compose/wires.ts';
import { modelEndpoint } from '../../compose/model-endpoint.ts';
import { createRunner, providersFor } from '../../compose/runner.ts';
import type { Config } from '../../config.ts';
import { systemClock } from '../../domain/clock.ts';
import type { FailureKind } from '../../domain/outcome.ts';
import { createGateway } from '../../gateway/create-gateway.ts';
import type { Provider } from '../../providers/provider.ts';
import { findProvider } from '../../providers/registry.ts';
import type { LaneRef } from '../../runners/runner.ts';
import type { Log } from '../../telemetry/log.ts';
import { SILENCE, hear } from '../../workers/conversation.ts';
import { lineSink } from '../../workers/lines.ts';
import type { Check, Examination } from './check.ts';
import { probe, programOf, runInWard, type Ward } from './ward.ts';

/** Asks for as little as can be asked. */
const PROMPT = 'Reply with the single word OK. Use no tools and change nothing.';

/** Dollars an agent may spend to answer that: agents send long instructions of their own with it. */
const BUDGET_USD = 0.5;

/** What to do about a conversation that failed, by the kind of failure. */
const ADVICE: Readonly<Partial<Record<FailureKind, string>>> = {
  auth: 'Put a key there that is accepted; docs/providers.md says which.',
  network: "Check that its endpoint can be reached from this machine, and the provider's base URL if one is set.",
  quota: 'Wait until then, add to the account, or give another provider.',
  overloaded: 'Try again later.',
};

/**
 * The runner and, on it, each of `providers`: its CLI and version, its key, and one tiny conversation through the gateway, unless
 * `calls` is false. The ones in `required` must be there; others may be missing from the image.
 */
export function agentExamination(options: {
  readonly config: Config;
  readonly log: Log;
  readonly providers: readonly string[];
  readonly required: readonly string[];
  readonly calls: boolean;
}): Examination {
  return {
    name: 'runner',
    examine: async () => {
      const { config, log } = options;
      const runner = createRunner(config, log, { purpose: 'doctor' });
      await using stack = new AsyncDisposableStack();
      stack.defer(() => runner.close());
      const facts = await runner.check();
      const gateway = createGateway({ directory: await wireDirectory(config), log, clock: systemClock });
      stack.defer(() => gateway.close());
      const name = `doctor-${randomBytes(4).toString('hex')}`;
      const mirror = path.join(config.MAESTRO_HOME, 'doctor', 'mirrors', name);
      await mkdir(mirror, { recursive: true });
      stack.defer(() => rm(mirror, { recursive: true, force: true }));
      const lane: LaneRef = { name, mirror };
      // What a doctor that was killed has left.
      await runner.reap(() => false);
      for (const left of await runner.listLanes()) await runner.removeLane({ name: left });
      await runner.ensureLane(lane);
      stack.defer(() => runner.removeLane(lane));
      const ward: Ward = { config, runner, gateway, lane };
      const found = options.providers
        .map((id) => findProvider(providersFor(runner), id))
        .filter((one) => one !== undefined);
      const probed = await probe(ward, found);
      const checks: Check[] = [
        {
          name: 'runner',
          state: runner.name === 'local' ? 'warning' : 'ok',
          detail: [facts.engine, facts.image].filter((part) => part !== undefined).join(', '),
          ...(runner.name === 'local'
            ? { advice: 'Agents run without isolation; MAESTRO_RUNNER=docker isolates them.' }
            : {}),
        },
        gatewayCheck(probed.gateway),
      ];
      for (const provider of found) {
        const version = probed.versions.get(programOf(provider));
        const cli = cliCheck(provider, version, options.required.includes(provider.id));
        checks.push(cli);
        if (cli.state === 'failed' || version === '') continue;
        checks.push(await conversation(ward, provider, options.calls));
      }
      return checks;
    },
  };
}

function gatewayCheck(answer: string | undefined): Check {
  const name = 'gateway';
  // Asked for nothing it offers, it refuses: that it answers is what matters.
  if (answer !== undefined && /^4\d\d$/.test(answer)) {
    return { name, state: 'ok', detail: 'answers over the only wire out of a session' };
  }
  const detail = `does not answer over the wire of a session (${answer ?? 'no word from inside'})`;
  return {
    name,
    state: 'failed',
    detail,
    advice: 'Look at the log; is MAESTRO_HOME on a disk the engine can mount from?',
  };
}

function cliCheck(provider: Provider, said: string | undefined, required: boolean): Check {
  const name = `${provider.id}: CLI`;
  if (said === undefined || said === '') {
    const advice = `Build an image that holds it: npm run image -- --agents ${provider.id}`;
    return { name, state: required ? 'failed' : 'skipped', detail: `${programOf(provider)} is not there`, advice };
  }
  const version = /\d+\.\d+\.\d+(?:-[\w.]+)?/.exec(said)?.[0];
  if (provider.cli === undefined || version === provider.cli.version) return { name, state: 'ok', detail: said };
  const detail = `${said}, while its codec was tried with ${provider.cli.version}`;
  return { name, state: 'warning', detail, advice: 'Build the image anew with npm run image, or expect surprises.' };
}

/** One tiny conversation, which shows key, endpoint, gateway and CLI to work together. */
async function conversation(ward: Ward, provider: Provider, calls: boolean): Promise<Check> {
  const name = `${provider.id}: model`;
  const model = provider.protocol === undefined ? undefined : modelEndpoint(ward.config, provider.protocol);
  if (provider.protocol !== undefined && model === undefined) {
    const advice = 'Set its key; docs/providers.md says which.';
    return { name, state: 'failed', detail: 'no key is configured', advice };
  }
  if (!calls) return { name, state: 'skipped', detail: 'not asked for (--no-calls)' };
  await using wire = await ward.gateway.open({
    session: `${ward.lane.name}-${provider.id}`,
    listen: ward.runner.wire,
    hosts: provider.hosts,
    model,
    budget: { costUsd: BUDGET_USD },
  });
  const inside = ward.runner.inside(ward.lane);
  const command = provider.command({
    prompt: PROMPT,
    model: undefined,
    effort: undefined,
    conversation: randomUUID(),
    cwd: inside.repo,
    gatewayUrl: inside.gatewayUrl ?? wire.url ?? '',
    placeholderKey: wire.placeholder,
    ...(model?.cloud === undefined ? {} : { cloud: model.cloud }),
  });
  let heard = SILENCE;
  const stdout = lineSink((line) => {
    for (const event of provider.decode(line)) heard = hear(heard, event);
  });
  const result = await runInWard(ward, wire, {
    purpose: provider.id,
    argv: [
      'sh',
      '-c',
      'mkdir -p "$1" && cd "$1" && git init -q && shift && exec "$@"',
      'x',
      inside.repo,
      ...command.argv,
    ],
    job: { env: command.env, files: command.files },
    stdin: command.stdin,
    stdout,
  });
  const conclusion = provider.conclude(heard.digest, result.code, wire.refusal());
  const { costUsd } = wire.usage();
  const cost = costUsd === undefined || costUsd === 0 ? '' : `, for $${costUsd.toFixed(4)}`;
  if (result.ending !== 'exited') {
    const detail = `did not end by itself (${result.ending})`;
    return { name, state: 'failed', detail, advice: 'Try it again; does its endpoint answer from this machine?' };
  }
  if (conclusion.kind === 'failed') {
    const { kind, message } = conclusion.failure;
    const advice = ADVICE[kind];
    return { name, state: 'failed', detail: message, ...(advice === undefined ? {} : { advice }) };
  }
  return { name, state: 'ok', detail: `answered in ${(result.durationMs / 1000).toFixed(1)} s${cost}` };
}
