import type { AgentEvent } from '../domain/event.ts';
import type { ModelRefusal } from '../domain/model-refusal.ts';
import type { Failure } from '../domain/outcome.ts';

/**
 * A provider is an agent CLI, described by pure functions: from a task to a command line, from a line of output to events, from
 * what was seen to how it ended. It runs nothing and reads nothing. Adding one is a folder and a line in the registry.
 */
export interface Provider {
  /** As in `maestro:<id>` labels and `provider=<id>`; `[a-z0-9-]`. */
  readonly id: string;
  /** As people call it. */
  readonly title: string;
  /** The model API it speaks, which the gateway offers it below `/<protocol>`; undefined for one that needs no model. */
  readonly protocol: ModelProtocol | undefined;
  /** The CLI it drives; undefined for one that needs nothing but the image's own files. */
  readonly cli: AgentCli | undefined;
  /** Hosts it may reach beside its model, as exact names or `*.suffix`. */
  readonly hosts: readonly string[];
  command(task: AgentTask): AgentCommand;
  /** One line of standard output, without its newline, to any number of events. Never throws: what it can't read is `unknown`. */
  decode(line: string): readonly AgentEvent[];
  /**
   * How the conversation ended. Exit code alone never means success. `refusal` is the model endpoint's last answer as the gateway
   * saw it, if that was none: it says why for the CLIs that say it in prose only.
   */
  conclude(seen: ConversationDigest, code: number | undefined, refusal?: ModelRefusal): Conclusion;
}

/** The npm package a CLI comes in, at the version its codec was driven against and the agent image holds. */
export interface AgentCli {
  readonly package: string;
  readonly version: string;
}

export type ModelProtocol = 'anthropic' | 'openai' | 'gemini';

export interface AgentTask {
  readonly prompt: string;
  readonly model: string | undefined;
  readonly effort: 'low' | 'medium' | 'high' | undefined;
  /** A UUID for the conversation, for CLIs that let it be chosen. */
  readonly conversation: string;
  /** The working copy, as the agent sees it. */
  readonly cwd: string;
  /** The gateway, as the agent sees it: scheme, host and port without a path. */
  readonly gatewayUrl: string;
  /** Stands in for the model key; worth something at this session's gateway only. */
  readonly placeholderKey: string;
  /** Said to the model beside the CLI's own instructions. */
  readonly systemPrompt?: string;
  /** The CLI's own id of an earlier conversation to go on with; its session files must be in HOME. */
  readonly resume?: string;
  /** MCP servers to offer, by name `[a-zA-Z0-9_-]`; none but these. */
  readonly mcpServers?: Readonly<Record<string, McpServer>>;
}

/** An MCP server: a program that speaks on its standard input and output, or one that is reached over HTTP. */
export type McpServer =
  | { readonly command: string; readonly args: readonly string[]; readonly env?: Readonly<Record<string, string>> }
  | { readonly url: string; readonly headers: Readonly<Record<string, string>> };

export interface AgentCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** Files below the agent's HOME, by relative path. */
  readonly files: Readonly<Record<string, string>>;
}

/** What is remembered of a stream of events: enough to conclude, constant in size. */
export interface ConversationDigest {
  readonly end: Extract<AgentEvent, { type: 'end' }> | undefined;
  readonly lastError: Extract<AgentEvent, { type: 'error' }> | undefined;
  readonly lastText: string;
  /** Whether `lastText` may go on: it ends with a piece. */
  readonly textOpen: boolean;
  readonly events: number;
  readonly unknown: number;
}

export type Conclusion =
  | { readonly kind: 'finished'; readonly summary: string }
  | { readonly kind: 'failed'; readonly failure: Failure };
