import { randomUUID } from 'node:crypto';
import type { Config } from '../../config.ts';
import type { RunId } from '../../domain/ids.ts';
import type { Gateway, Wire } from '../../gateway/gateway.ts';
import type { Provider } from '../../providers/provider.ts';
import type { Job, JobResult, LaneRef, Runner } from '../../runners/runner.ts';
import { ended, lineSink, tailSink } from '../../workers/lines.ts';

const LIMITS = {
  idleMs: 90_000,
  wallMs: 120_000,
  outputBytes: 16 * 1024 ** 2,
};

/** Prints, for each command named, `name`, a tab, and the first line of what it says of its version; then how the gateway answers. */
const PROBE = `
url=$1; shift
for name in "$@"; do
  if command -v "$name" >/dev/null 2>&1; then
    printf 'cli\\t%s\\t%s\\n' "$name" "$("$name" --version 2>&1 | head -n 1)"
  else
    printf 'cli\\t%s\\t\\n' "$name"
  fi
done
node -e 'fetch(process.argv[1]).then((r) => console.log("gateway\\t" + r.status), (e) => console.log("gateway\\t" + (e.cause?.code ?? e.message)))' "$url"
`;

/** Where the doctor looks at agents: a lane of its own, on the installation's runner. */
export interface Ward {
  readonly config: Config;
  readonly runner: Runner;
  readonly gateway: Gateway;
  readonly lane: LaneRef;
}

interface Probed {
  /** By program; an empty text for one that is not there. */
  readonly versions: ReadonlyMap<string, string>;
  readonly gateway: string | undefined;
}

/** Looks which CLIs there are, and whether the gateway answers, from inside a session's place. */
export async function probe(ward: Ward, providers: readonly Provider[]): Promise<Probed> {
  await using wire = await ward.gateway.open({
    session: `${ward.lane.name}-probe`,
    listen: ward.runner.wire,
    hosts: [],
    model: undefined,
    budget: {},
  });
  const versions = new Map<string, string>();
  let gateway: string | undefined;
  const stdout = lineSink((line) => {
    const [kind, first = '', second = ''] = line.split('\t');
    if (kind === 'cli') versions.set(first, second.trim());
    if (kind === 'gateway') gateway = first;
  });
  const url = `${ward.runner.inside(ward.lane).gatewayUrl ?? wire.url ?? ''}/doctor`;
  await runInWard(ward, wire, {
    purpose: 'probe',
    argv: ['sh', '-c', PROBE, 'x', url, ...new Set(providers.map(programOf))],
    job: { env: {} },
    stdin: '',
    stdout,
  });
  return { versions, gateway };
}

/** Runs one job in the ward, and hands on all that it printed before it says how the job ended. */
export async function runInWard(
  { config, runner, lane }: Ward,
  wire: Wire,
  work: {
    readonly purpose: string;
    readonly argv: readonly string[];
    readonly job: Pick<Job, 'env' | 'files'>;
    readonly stdin: string;
    readonly stdout: ReturnType<typeof lineSink>;
  },
): Promise<JobResult> {
  const result = await runner.run(
    {
      name: `${lane.name}-${work.purpose}`,
      owner: { runId: 'doctor' as RunId, epoch: 0 },
      lane,
      argv: work.argv,
      ...work.job,
      ...(wire.socket === undefined ? {} : { socket: wire.socket }),
      limits: {
        ...LIMITS,
        memoryBytes: config.MAESTRO_MEMORY_MB * 1024 ** 2,
        cpus: config.MAESTRO_CPUS,
        pids: config.MAESTRO_PIDS,
      },
    },
    { stdin: work.stdin, stdout: work.stdout, stderr: tailSink(1024).sink, signal: new AbortController().signal },
  );
  await ended(work.stdout);
  return result;
}

/** The program a provider starts. */
export function programOf(provider: Provider): string {
  const [program = ''] = provider.command({
    prompt: '',
    model: undefined,
    effort: undefined,
    conversation: randomUUID(),
    cwd: '/',
    gatewayUrl: '',
    placeholderKey: '',
  }).argv;
  return program;
}
