import { z } from 'zod';
import type { Reply, Spoken, Verb } from '../domain/talk.ts';
import { decodeJson } from './decode-json.ts';

/*
 * What an agent can say to us, as tools of the Model Context Protocol over its streamable HTTP transport: one request, one answer, no
 * session, no stream. Written out instead of taken from the protocol's SDK, which brings a web framework, a schema compiler and an
 * OAuth client into the process that holds the model keys, to answer four methods on a connection that is authorized already.
 * https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
 */

/** Versions whose messages look as written here; the newest first, which is offered to clients of others. */
const VERSIONS = ['2025-06-18', '2025-03-26'] as const;

const message = z.object({
  jsonrpc: z.literal('2.0'),
  /** Missing in a notification, and in what answers a request: none was made. */
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string().optional(),
  params: z.record(z.string(), z.unknown()).optional(),
});

const text = z.string();
const call = z.discriminatedUnion('name', [
  z.object({
    name: z.literal('ask'),
    arguments: z.strictObject({
      question: text.describe('All that people need to know to answer it.'),
      options: z
        .array(text)
        .optional()
        .describe('Answers they can choose from, a line each; none for an open question.'),
    }),
  }),
  z.object({
    name: z.literal('note'),
    arguments: z.strictObject({ text: text.describe('A fact or a decision, in a sentence or two.') }),
  }),
  z.object({
    name: z.literal('replan'),
    arguments: z.strictObject({
      why: text.describe('What makes the tasks that are planned the wrong ones.'),
      tasks: text.describe('The new tasks, this one included, as a markdown checklist: a line `- [ ] …` each.'),
    }),
  }),
  z.object({
    name: z.literal('done'),
    arguments: z.strictObject({ summary: text.describe('What was changed, and why.') }),
  }),
  z.object({
    name: z.literal('blocked'),
    arguments: z.strictObject({ why: text.describe('What would have to be there.') }),
  }),
]);

const DESCRIPTIONS: Readonly<Record<Verb, string>> = {
  ask: 'Asks the people who started this run. Nobody can answer while you work: end your turn after it, and a later session goes on with the answer.',
  note: 'Leaves something for the sessions of later tasks to know. Goes on.',
  replan:
    'Proposes other tasks in place of this one and all that are left, for people to decide about. End your turn after it.',
  done: 'Says what you did, for the message of the commit. Goes on.',
  blocked: "Says that the task can't be done. End your turn after it.",
};

const TOOLS = call.options.map(({ shape }) => {
  const { $schema: _, ...inputSchema } = z.toJSONSchema(shape.arguments);
  return { name: shape.name.value, description: DESCRIPTIONS[shape.name.value], inputSchema };
});

/** An answer over HTTP: without a body where the protocol has none. */
export interface McpAnswer {
  readonly status: number;
  readonly body?: unknown;
}

/** Answers one message of a client. Calls of tools are handed to `hears`. */
export function answerMcp(body: string, hears: (spoken: Spoken) => Reply): McpAnswer {
  const read = message.safeParse(decodeJson(body));
  if (!read.success) return { status: 400, body: failed(null, -32_600, 'This is no message of JSON-RPC 2.0.') };
  const { id, method, params } = read.data;
  if (id === undefined || method === undefined) return { status: 202 };
  switch (method) {
    case 'initialize':
      return result(id, {
        protocolVersion: VERSIONS.find((version) => version === params?.['protocolVersion']) ?? VERSIONS[0],
        capabilities: { tools: {} },
        serverInfo: { name: 'maestro', title: 'Maestro', version: '1' },
      });
    case 'ping':
      return result(id, {});
    case 'tools/list':
      return result(id, { tools: TOOLS });
    case 'tools/call': {
      const called = call.safeParse({ ...params, arguments: params?.['arguments'] ?? {} });
      if (!called.success)
        return { status: 200, body: failed(id, -32_602, z.prettifyError(called.error).slice(0, 1_000)) };
      const reply = hears(spokenBy(called.data));
      return result(id, { content: [{ type: 'text', text: reply.text }], isError: !reply.ok });
    }
    default:
      return { status: 200, body: failed(id, -32_601, 'There is no such method here.') };
  }
}

function spokenBy(called: z.infer<typeof call>): Spoken {
  switch (called.name) {
    case 'ask':
      return { verb: 'ask', fields: [called.arguments.question, ...(called.arguments.options ?? [])] };
    case 'note':
      return { verb: 'note', fields: [called.arguments.text] };
    case 'replan':
      return { verb: 'replan', fields: [called.arguments.why, called.arguments.tasks] };
    case 'done':
      return { verb: 'done', fields: [called.arguments.summary] };
    case 'blocked':
      return { verb: 'blocked', fields: [called.arguments.why] };
  }
}

function result(id: string | number, value: unknown): McpAnswer {
  return { status: 200, body: { jsonrpc: '2.0', id, result: value } };
}

function failed(id: string | number | null, code: number, text: string): unknown {
  return { jsonrpc: '2.0', id, error: { code, message: text } };
}
