import type { Cloud } from '../domain/cloud.ts';
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
  /** Whether it was seen to use tools of MCP servers over HTTP: then it is offered ours beside the command. */
  readonly usesTools?: true;
  /** Where it keeps its conversations. */
  readonly sessions: SessionFiles;
  command(task: AgentTask): AgentCommand;
  /** One line of standard output, without its newline, to any number of events. Never throws: what it can't read is `unknown`. */
  decode(line: string): readonly AgentEvent[];
  /**
   * How the conversation ended. Exit code alone never means success. `refusal` is the model endpoint's last answer as the gateway
   * saw it, if that was none: it says why for the CLIs that say it in prose only.
   */
  conclude(seen: ConversationDigest, code: number | undefined, refusal?: ModelRefusal): Conclusion;
}

/** Where a CLI keeps its conversations: what has to be in a HOME for `AgentTask.resume` to find one there. */
export interface SessionFiles {
  /** Directories below HOME, as plain relative paths: they hold conversations, and all that going on with one takes. */
  readonly directories: readonly string[];
  /** What in them is of no use to a later session, by path below HOME; `*` stands for any characters. */
  readonly without: readonly string[];
  /** Whether a conversation can be gone on with in another working directory than it was begun in. */
  readonly elsewhere: boolean;
  /** How its conversations lay on disk in the versions there have been, for finding those of a desk. */
  readonly layouts: readonly SessionLayout[];
}

/** One way a CLI has laid out its conversations: a file each. */
export interface SessionLayout {
  /** Directory below HOME. */
  readonly directory: string;
  /** The id in the path of a conversation's file below the directory, as the name tells it; undefined for every other file. */
  readonly idOf: (path: string) => string | undefined;
  /** Whether the file is one JSON value, or one a line. */
  readonly format: 'lines' | 'document';
  /** File that holds the working directory as plain text, from the conversation's own directory, where the CLI writes one. */
  readonly cwdFile?: string;
  /** What one value of the file tells. Never throws; the first value that tells something is believed. */
  readonly read: (value: unknown) => ConversationFacts;
}

/** What is told of a conversation on disk. All of it is text that anybody may have written. */
export interface ConversationFacts {
  readonly id?: string | undefined;
  readonly cwd?: string | undefined;
  /** URL of the repository's remote, or `owner/name`. */
  readonly remote?: string | undefined;
  /** Epoch milliseconds. */
  readonly startedAt?: number | undefined;
  /** What the person said first. */
  readonly words?: string | undefined;
  /** Whether it is a part of another conversation. */
  readonly part?: boolean | undefined;
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
  /** The cloud that has the model, when it is asked in the cloud's own way. */
  readonly cloud?: Cloud;
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
