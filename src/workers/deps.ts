import type { OperatorBudget } from '../domain/budget.ts';
import type { CircuitPolicy } from '../domain/circuit.ts';
import type { Clock } from '../domain/clock.ts';
import type { EgressRule } from '../domain/egress.ts';
import type { AgentEvent } from '../domain/event.ts';
import type { RunId, SessionId } from '../domain/ids.ts';
import type { ImageRule } from '../domain/own-image.ts';
import type { McpSecret } from '../domain/mcp.ts';
import type { PolicyLimits } from '../domain/policy.ts';
import type { RetryPolicy } from '../domain/retry.ts';
import type { TrustRule } from '../domain/trust.ts';
import type { Forge } from '../forge/forge.ts';
import type { Gateway, ModelEndpoint } from '../gateway/gateway.ts';
import type { Provider } from '../providers/provider.ts';
import type { RunQueue } from '../queue/queue.ts';
import type { Runner } from '../runners/runner.ts';
import type { Shelf } from '../sessions/shelf.ts';
import type { Presence, Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

/** All a worker works with. Nothing is reached but through this. */
export interface WorkerDeps {
  readonly store: Store;
  readonly queue: RunQueue;
  readonly forge: Forge;
  readonly runner: Runner;
  readonly shelf: Shelf;
  readonly gateway: Gateway;
  readonly findProvider: (id: string) => Provider | undefined;
  /** The real endpoint and key behind a provider's protocol, for repositories of an installation; undefined when none is configured. */
  readonly modelEndpoint: (
    protocol: NonNullable<Provider['protocol']>,
    of: { readonly installationId: number },
  ) => Promise<ModelEndpoint | undefined>;
  /** Which of the workers beside this one have died. */
  readonly presence: Presence;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: WorkerSettings;
  /** Told of every event of every session as it happens. */
  readonly onEvent?: (event: AgentEvent, of: { readonly runId: RunId; readonly sessionId: SessionId }) => void;
}

export interface WorkerSettings {
  /** Names this worker in leases. */
  readonly name: string;
  /** Directory for mirrors and session logs. */
  readonly home: string;
  readonly concurrency: number;
  /** What agents run in: ours, with `{provider}` for the provider's id, and repositories' own. */
  readonly images: { readonly agents: string; readonly rules: readonly ImageRule[] };
  /** What of repositories' own agent configuration may run programs or open ways out. */
  readonly trust: readonly TrustRule[];
  /** What their MCP servers are lent. */
  readonly mcpSecrets: readonly McpSecret[];
  /** How long session logs are kept once their run is over. Milliseconds. */
  readonly keepMs: number;
  /** What must be free on the disk of `home` for a task to begin. Bytes. */
  readonly diskFloorBytes: number;
  /** How long a lease is good for without being renewed; it is renewed at a third of that. */
  readonly leaseMs: number;
  /** Least time between two edits of a status comment. */
  readonly statusIntervalMs: number;
  /** How often the reconciler looks around. */
  readonly reconcileMs: number;
  readonly session: SessionSettings;
  /** What may be spent, whatever playbooks say. */
  readonly budget: OperatorBudget;
  readonly policy: PolicyLimits;
  readonly retry: RetryPolicy;
  /** How long people are left alone before they are reminded of a question; 0 for ever. Milliseconds. */
  readonly remindMs: number;
  readonly circuit: CircuitPolicy;
}

/** Limits of one session. Times in milliseconds, sizes in bytes. */
export interface SessionSettings {
  readonly idleMs: number;
  /** Where nobody says another time. */
  readonly wallMs: number;
  /** Whatever anybody says. */
  readonly mostWallMs: number;
  /** How long an agent may go on after it has asked, or said that it is blocked. */
  readonly partingMs: number;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: number;
  readonly outputBytes: number;
  /** Largest session log kept; beyond it only the count of what was left out. */
  readonly logBytes: number;
  /** Largest pack of work taken from a lane. */
  readonly packBytes: number;
  /** Hosts sessions may reach beside their model. */
  readonly hosts: readonly EgressRule[];
  /** Hosts that playbooks may add. */
  readonly playbookHosts: readonly string[];
  /** Hosts a setup may reach, beside those the session may. */
  readonly setupHosts: readonly string[];
}
