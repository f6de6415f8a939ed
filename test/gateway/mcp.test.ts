import { describe, expect, test } from 'vitest';
import type { Spoken } from '../../src/domain/talk.ts';
import { ask, grant, startGateway, type Answer } from './world.ts';

/** A client's side of a wire that takes every word but `no`. */
async function connect(): Promise<{
  readonly said: readonly Spoken[];
  readonly send: (message: unknown, method?: string) => Promise<Answer>;
  readonly call: (name: string, args?: unknown) => Promise<unknown>;
}> {
  const said: Spoken[] = [];
  const gateway = await startGateway();
  const wire = await gateway.open(
    grant({
      onWord: (spoken) => {
        said.push(spoken);
        return spoken.fields[0] === 'no' ? { ok: false, text: 'Say yes.' } : { ok: true, text: 'Recorded.' };
      },
    }),
  );
  const headers = { authorization: `Bearer ${wire.placeholder}`, 'content-type': 'application/json' };
  const send = async (message: unknown, method = 'POST'): Promise<Answer> =>
    await ask(wire, {
      method,
      target: '/maestro/mcp',
      headers,
      body: typeof message === 'string' ? message : JSON.stringify(message),
    });
  const call = async (name: string, args?: unknown): Promise<unknown> => {
    const params = { name, ...(args === undefined ? {} : { arguments: args }) };
    return JSON.parse((await send({ jsonrpc: '2.0', id: 7, method: 'tools/call', params })).body);
  };
  return { said, send, call };
}

describe('a client of MCP', () => {
  test('begins, and is told the tools there are', async () => {
    const { send } = await connect();
    const params = { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    const begun = await send({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    expect(begun).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(JSON.parse(begun.body)).toMatchObject({
      jsonrpc: '2.0',
      id: 0,
      result: { protocolVersion: '2025-03-26', capabilities: { tools: {} }, serverInfo: { name: 'maestro' } },
    });
    const other = await send({
      jsonrpc: '2.0',
      id: 'a',
      method: 'initialize',
      params: { protocolVersion: '2099-01-01' },
    });
    expect(JSON.parse(other.body)).toMatchObject({ id: 'a', result: { protocolVersion: '2025-06-18' } });
    await expect(send({ jsonrpc: '2.0', method: 'notifications/initialized' })).resolves.toMatchObject({
      status: 202,
      body: '',
    });
    expect(JSON.parse((await send({ jsonrpc: '2.0', id: 1, method: 'ping' })).body)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: {},
    });
    const listed: unknown = JSON.parse((await send({ jsonrpc: '2.0', id: 2, method: 'tools/list' })).body);
    expect(listed).toMatchObject({
      result: {
        tools: [
          {
            name: 'ask',
            inputSchema: {
              type: 'object',
              properties: { question: { type: 'string' }, options: { type: 'array', items: { type: 'string' } } },
              required: ['question'],
            },
          },
          { name: 'note', inputSchema: { required: ['text'] } },
          { name: 'replan', inputSchema: { required: ['why', 'tasks'] } },
          { name: 'done', inputSchema: { required: ['summary'] } },
          { name: 'blocked', inputSchema: { required: ['why'] } },
        ],
      },
    });
  });

  test('says all that the command says', async () => {
    const { call, said } = await connect();
    await expect(call('ask', { question: 'Which?', options: ['This', 'That'] })).resolves.toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: { content: [{ type: 'text', text: 'Recorded.' }], isError: false },
    });
    await call('note', { text: 'Mind it.' });
    await call('replan', { why: 'Gone', tasks: '- [ ] One' });
    await call('done', { summary: 'All' });
    await call('blocked', { why: 'No schema' });
    expect(said).toEqual([
      { verb: 'ask', fields: ['Which?', 'This', 'That'] },
      { verb: 'note', fields: ['Mind it.'] },
      { verb: 'replan', fields: ['Gone', '- [ ] One'] },
      { verb: 'done', fields: ['All'] },
      { verb: 'blocked', fields: ['No schema'] },
    ]);
    await expect(call('note', { text: 'no' })).resolves.toMatchObject({
      result: { content: [{ text: 'Say yes.' }], isError: true },
    });
  });

  test.each([
    ['a tool there is not', 'merge', {}],
    ['nothing', 'ask', undefined],
    ['an argument there is not', 'note', { text: 'a', to: 'b' }],
    ['an argument of another type', 'ask', { question: 'a', options: 'b' }],
  ])('is refused %s', async (_, name, args) => {
    const { call, said } = await connect();
    await expect(call(name, args)).resolves.toMatchObject({ id: 7, error: { code: -32_602 } });
    expect(said).toEqual([]);
  });

  test('is told what is no message, no method, and that there are no streams', async () => {
    const { send } = await connect();
    for (const odd of ['', '{', '[]', '"x"', '{"id":1}', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]'])
      await expect(send(odd)).resolves.toMatchObject({ status: 400 });
    expect(JSON.parse((await send({ jsonrpc: '2.0', id: 1, method: 'resources/list' })).body)).toMatchObject({
      error: { code: -32_601 },
    });
    for (const method of ['GET', 'DELETE']) await expect(send('', method)).resolves.toMatchObject({ status: 405 });
  });
});
