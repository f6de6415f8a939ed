import type { Cloud } from '../domain/cloud.ts';
import type { ModelRefusal } from '../domain/model-refusal.ts';
import type { Reply, Spoken } from '../domain/talk.ts';
import type { Admission, Charge, Pending } from '../domain/spending.ts';
import type { Usage } from '../domain/usage.ts';
import type { Access } from './access.ts';

/**
 * The only wire out of a session. For each session it listens on a Unix socket (or a loopback port), lets CONNECT through to
 * allow-listed hosts only, and relays model requests below `/<protocol>/…` to the real endpoint with the real key in place of
 * the session's placeholder, metering them as they pass.
 */
export interface Gateway {
  /** Opens a session's wire. Closing it ends every connection and makes the placeholder worthless. */
  open(grant: Grant): Promise<Wire>;
  close(): Promise<void>;
}

export interface Grant {
  /** Names the wire in logs and in its socket's path. */
  readonly session: string;
  readonly listen: 'socket' | 'loopback';
  /** Hosts CONNECT may reach on port 443: exact names or `*.suffix`. */
  readonly hosts: readonly string[];
  /** The model endpoint this session may use; undefined for none. */
  readonly model: ModelEndpoint | undefined;
  /** Told once, when the model endpoint gives its first proper answer. */
  readonly onAnswer?: () => void;
  /** Told what the agent says to us below `/maestro/`, and gives what it is answered; without it there is nothing there. */
  readonly onWord?: (spoken: Spoken) => Reply;
  /** What it may still spend; a request beyond it is answered 429 and `exhausted` says so. */
  readonly budget: { readonly costUsd?: number; readonly tokens?: number };
  /** Who pays for its requests beyond that; nobody is asked without one. */
  readonly account?: Account;
}

/** Says before each request whether it may be made, and is told what requests consumed. */
export interface Account {
  /** Whether another request may be made while `pending` are not over. Rejects when that can't be found out: it is then not made. */
  mayCall(pending: Pending): Promise<Admission>;
  /** Puts on record what all requests of the session that are over consumed. No other is made before that is done. */
  consumed(total: Charge): Promise<void>;
}

export interface ModelEndpoint {
  /** What is spoken: an API, or a cloud's form of one. */
  readonly protocol: 'anthropic' | 'openai' | 'gemini' | Cloud['kind'];
  /** Base URL of the real endpoint, e.g. `https://api.anthropic.com`. */
  readonly upstream: string;
  /** The real key, or what else authorizes requests. It never leaves this process but towards `upstream`. */
  readonly key: string | Access;
  /** Where the cloud has the models, for `bedrock` and `vertex`. */
  readonly cloud?: Cloud;
  /** Where routes are below `upstream`, if not where they are below the API's own. */
  readonly locate?: {
    /** Whether the path depends on the model a request names: it is then held back until it is whole. */
    readonly needsModel: boolean;
    /** Path and query. */
    readonly path: (route: { readonly path: string; readonly query: string }, model: string | undefined) => string;
  };
  /** Tells endpoint and key from others without telling the key; undefined when nobody needs to. */
  readonly name?: string;
}

export interface Wire extends AsyncDisposable {
  /** Socket file to mount, for `listen: 'socket'`. */
  readonly socket: string | undefined;
  /** Base URL on the host, for `listen: 'loopback'`. */
  readonly url: string | undefined;
  /** What the agent presents as its key. */
  readonly placeholder: string;
  /** Metered so far. */
  usage(): Usage;
  /** What that counts for against a budget: a model without a known price counts as the dearest. */
  charged(): Charge;
  /** Hosts that were asked for and refused, with how often. */
  blocked(): readonly BlockedHost[];
  /** Whether a request was refused because the budget is spent. */
  exhausted(): boolean;
  /** Why the model endpoint's last answer was none; undefined when it was one, or nothing was asked. */
  refusal(): ModelRefusal | undefined;
  /**
   * Aborted when the endpoint has refused in a way that trying again soon can't mend (the key, a quota that comes back much later)
   * and the agent did not end by itself within seconds: some try again for minutes.
   */
  readonly hopeless: AbortSignal;
}

export interface BlockedHost {
  readonly host: string;
  readonly count: number;
}
