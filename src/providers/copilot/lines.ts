import { z } from 'zod';

/** The lines of Copilot CLI's `--output-format json` that mean something to us, as printed by 1.0.102, with only the fields we use. */

export const messageLine = z.object({ data: z.object({ content: z.string() }) });

export const reasoningLine = z.object({ data: z.object({ content: z.string() }) });

export const toolStartLine = z.object({
  data: z.object({ toolCallId: z.string(), toolName: z.string(), arguments: z.unknown() }),
});

export const toolEndLine = z.object({
  data: z.object({
    toolCallId: z.string(),
    success: z.boolean(),
    shellExecution: z.object({ exitCode: z.number().nullish() }).nullish().catch(undefined),
    result: z.object({ content: z.string().optional() }).nullish(),
    error: z.object({ message: z.string() }).nullish(),
  }),
});

export const sessionErrorLine = z.object({
  data: z.object({
    errorType: z.string().optional(),
    statusCode: z.number().optional(),
    message: z.string().optional(),
  }),
});

export const infoLine = z.object({ data: z.object({ message: z.string() }) });

export const idleLine = z.object({ data: z.object({ aborted: z.boolean().optional() }).optional() });

export const resultLine = z.object({ sessionId: z.string(), exitCode: z.number() });
