/** What one wire protocol of a model API is, to the scripted endpoint. */
export interface Protocol {
  readonly name: 'anthropic' | 'chat' | 'responses' | 'gemini';
  readonly read: (body: unknown) => Asked;
  readonly answer: (answer: Answer, model: string) => Rendered;
  /** The body of an error answer. */
  readonly error: (status: number, message: string, code: string | null) => unknown;
}

/** What of a request decides the answer. */
export interface Asked {
  readonly tools: readonly OfferedTool[];
  /** The last text of the user. */
  readonly prompt: string;
  /** Rounds of tool results since then. */
  readonly rounds: number;
}

export interface OfferedTool {
  readonly name: string;
  /** Where the protocol keeps names apart: what a call has to say besides the name. */
  readonly namespace?: string;
  /** Names of its parameters. */
  readonly parameters: readonly string[];
  /** Those that must be given: of which JSON type, and what they may be if that is limited. */
  readonly required: readonly { readonly name: string; readonly type: string; readonly choices: readonly unknown[] }[];
  /** It takes plain text instead of parameters. */
  readonly freeform: boolean;
}

export interface Answer {
  readonly text: string;
  readonly thinking: string | undefined;
  readonly call: ToolCall | undefined;
  /** All input tokens are `input`, `cached` ones among them. */
  readonly usage: { readonly input: number; readonly output: number; readonly cached: number };
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly namespace?: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What a freeform tool is given instead of `input`. */
  readonly freeform?: string;
}

/** An answer as a whole and as a stream of server-sent events. */
export interface Rendered {
  readonly json: unknown;
  readonly events: readonly StreamedEvent[];
}

export interface StreamedEvent {
  readonly event?: string;
  readonly data: unknown;
}

/** A text in two parts, so that streams are streams. */
export function inParts(text: string): readonly string[] {
  if (text.length < 4) return text === '' ? [] : [text];
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}
