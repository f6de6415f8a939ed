import { z } from 'zod';

/**
 * The language of scripts. A script is a list of steps; which one answers a request is the number of tool-result rounds since
 * the last text of the user, so the endpoint keeps no state: parallel conversations, retries and resumes all work.
 */
const step = z.object({
  /** Said before the tool call, or as the last words when there is none. */
  text: z.string().optional(),
  thinking: z.string().optional(),
  /** Writes a file with whatever tool the client offers for it. */
  write: z.object({ path: z.string(), content: z.string() }).optional(),
  /** Runs a command with whatever shell tool the client offers. */
  bash: z.string().optional(),
  /** Calls a tool by its exact name. */
  tool: z.object({ name: z.string(), input: z.record(z.string(), z.unknown()) }).optional(),
  /** Calls a tool of an MCP server by whatever name the client offers it under. */
  mcp: z.object({ server: z.string(), tool: z.string(), input: z.record(z.string(), z.unknown()) }).optional(),
  /** Answers with an error in the protocol's own shape; `drop` cuts the connection. */
  error: z.union([z.number(), z.enum(['prompt_too_long', 'bad_model', 'quota', 'drop'])]).optional(),
  /** The error only for the first this many requests; then the step's `text` answers. */
  times: z.number().optional(),
  /** Seconds for the `retry-after` header of an error. */
  retry_after: z.number().optional(),
  delay_ms: z.number().optional(),
  /** Sends half of the stream and then nothing. */
  stall: z.boolean().optional(),
  /** Sends half of the stream and then cuts the connection. */
  cut: z.boolean().optional(),
  usage: z.object({ input: z.number(), output: z.number(), cached: z.number() }).partial().optional(),
  /** Stays on this step for ever. */
  repeat: z.boolean().optional(),
});

export const script = z.array(step);

export type Step = z.infer<typeof step>;
export type Script = readonly Step[];

/** What an endpoint without a script of its own does: one file, one closing word. */
export const DEFAULT_SCRIPT: Script = [
  { text: 'I will write the file.', write: { path: 'hello.txt', content: 'hello\n' } },
  { text: 'Done: wrote hello.txt.' },
];

/**
 * The step for a request. A script may ride in the prompt itself, as `<<mock [ {…}, … ] mock>>`, and then goes before `fallback`.
 * `rounds` is how many rounds of tool results followed the prompt.
 */
export function pickStep(
  fallback: Script,
  prompt: string,
  rounds: number,
): { readonly step: Step; readonly at: number } {
  const steps = inlineScript(prompt) ?? fallback;
  const repeated = steps.findIndex((step) => step.repeat === true);
  const at = repeated >= 0 ? Math.min(rounds, repeated) : rounds;
  return { step: steps[at] ?? { text: 'Done.' }, at };
}

/** The first script in the prompt that can be read: agents put other texts around a task, such as the subjects of old commits, cut off. */
function inlineScript(prompt: string): Script | undefined {
  let complaint: string | undefined;
  for (const [, found = ''] of prompt.matchAll(/<<mock\s+((?:(?!<<mock)[\s\S])*?)\s+mock>>/g)) {
    try {
      return script.parse(JSON.parse(found));
    } catch (error) {
      complaint ??= `The script in the prompt is not valid: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return complaint === undefined ? undefined : [{ text: complaint }];
}
