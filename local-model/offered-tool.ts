import { z } from 'zod';
import type { OfferedTool } from './protocol.ts';

/** The JSON schema of a tool's parameters, as far as an answer depends on it. */
export const parameterSchema = z.object({
  properties: z
    .record(
      z.string(),
      z.object({ type: z.string().optional().catch(undefined), enum: z.array(z.unknown()).optional() }).catch({}),
    )
    .optional(),
  required: z.array(z.string()).optional(),
});

/** A tool with its parameters; without a schema it takes plain text. */
export function offeredTool(name: string, schema: z.infer<typeof parameterSchema> | undefined): OfferedTool {
  const properties = schema?.properties ?? {};
  return {
    name,
    parameters: Object.keys(properties),
    required: (schema?.required ?? []).map((one) => ({
      name: one,
      type: properties[one]?.type ?? 'string',
      choices: properties[one]?.enum ?? [],
    })),
    freeform: schema === undefined,
  };
}
