import { z } from 'zod';
import { offeredTool, parameterSchema } from './offered-tool.ts';
import type { Answer, Asked, Protocol, Rendered } from './protocol.ts';

const request = z.object({
  contents: z
    .array(
      z.object({
        role: z.string().optional(),
        parts: z.array(z.object({ text: z.string().optional(), functionResponse: z.unknown().optional() })).default([]),
      }),
    )
    .default([]),
  tools: z
    .array(
      z.object({
        functionDeclarations: z
          .array(z.object({ name: z.string(), parametersJsonSchema: parameterSchema.optional() }))
          .default([]),
      }),
    )
    .default([]),
});

/** Gemini: `POST /v1beta/models/<model>:generateContent` and `:streamGenerateContent`. */
export const gemini: Protocol = {
  name: 'gemini',
  read,
  answer,
  error: (status, message) => ({ error: { code: status, message, status: STATUSES[status] ?? 'UNKNOWN' } }),
};

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

function read(body: unknown): Asked {
  const { contents, tools } = request.safeParse(body).data ?? { contents: [], tools: [] };
  let prompt = '';
  let rounds = 0;
  for (const { parts } of contents.filter(({ role }) => role !== 'model')) {
    if (parts.some((part) => part.functionResponse !== undefined)) rounds += 1;
    else {
      prompt = parts.map((part) => part.text ?? '').join('\n');
      rounds = 0;
    }
  }
  const offered = tools.flatMap((tool) => tool.functionDeclarations);
  return {
    tools: offered.map((tool) => offeredTool(tool.name, tool.parametersJsonSchema ?? {})),
    prompt,
    rounds,
  };
}

function answer({ text, thinking, call, usage }: Answer, model: string): Rendered {
  const usageMetadata = {
    promptTokenCount: usage.input,
    candidatesTokenCount: usage.output,
    totalTokenCount: usage.input + usage.output,
    cachedContentTokenCount: usage.cached,
  };
  const parts = [
    ...(thinking === undefined ? [] : [{ text: thinking, thought: true }]),
    { text },
    ...(call === undefined
      ? []
      : [{ functionCall: { id: call.id, name: call.name, args: call.input }, thoughtSignature: 'c2NyaXB0ZWQ=' }]),
  ];
  const response = (some: readonly object[], last: boolean): object => ({
    candidates: [{ index: 0, content: { role: 'model', parts: some }, ...(last ? { finishReason: 'STOP' } : {}) }],
    usageMetadata,
    modelVersion: model,
  });
  return {
    json: response(parts, true),
    events: parts.map((part, at) => ({ data: response([part], at === parts.length - 1) })),
  };
}
