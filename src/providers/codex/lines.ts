import { z } from 'zod';

/**
 * The lines of `codex exec --json` that mean something to us, as printed by 0.169.0, with only the fields we use. Their `type`
 * tells them apart, and of an item its own.
 */
const tokens = z.number().nonnegative().catch(0);

export const threadLine = z.object({ type: z.literal('thread.started'), thread_id: z.string() });

export const completedLine = z.object({
  type: z.literal('turn.completed'),
  usage: z.object({ input_tokens: tokens, cached_input_tokens: tokens, output_tokens: tokens }).optional(),
});

export const failedLine = z.object({ type: z.literal('turn.failed'), error: z.object({ message: z.string() }) });

export const errorLine = z.object({ type: z.literal('error'), message: z.string() });

const tool = { id: z.string(), status: z.string().optional() };

const item = z.discriminatedUnion('type', [
  z.object({ type: z.literal('agent_message'), text: z.string() }),
  z.object({ type: z.literal('reasoning'), text: z.string() }),
  z.object({ type: z.literal('error'), message: z.string() }),
  z.object({ type: z.literal('todo_list') }),
  z.object({
    type: z.literal('command_execution'),
    ...tool,
    command: z.string(),
    aggregated_output: z.string().optional(),
    exit_code: z.number().nullish(),
  }),
  z.object({
    type: z.literal('file_change'),
    ...tool,
    changes: z.array(z.object({ path: z.string(), kind: z.string() })),
  }),
  z.object({
    type: z.literal('mcp_tool_call'),
    ...tool,
    server: z.string(),
    tool: z.string(),
    arguments: z.unknown(),
    result: z.object({ content: z.array(z.object({ type: z.string(), text: z.string().optional() })) }).nullish(),
    error: z.object({ message: z.string() }).nullish(),
  }),
  z.object({ type: z.literal('web_search'), ...tool, query: z.string() }),
]);

export type Item = z.infer<typeof item>;

export const itemLine = z.object({ type: z.enum(['item.started', 'item.updated', 'item.completed']), item });
