import { generateKeyPairSync, createVerify } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exceptionFrame } from '../../local-model/event-frames.ts';
import type { Script } from '../../local-model/script.ts';
import { startModelEndpoint, type ModelEndpoint as Scripted } from '../../local-model/server.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { awsAccess, awsCredentialsFile } from '../../src/gateway/aws-access.ts';
import { azureEndpoint } from '../../src/gateway/azure.ts';
import type { ModelEndpoint, Wire } from '../../src/gateway/gateway.ts';
import { googleAccess } from '../../src/gateway/google-access.ts';
import { usageOf } from '../../src/gateway/reading.ts';
import { ask, grant, startGateway, startUpstream, type Answer } from './world.ts';

const CANARY = 'canary-which-nobody-may-see';
const HELLO: Script = [{ text: 'Hello yourself.', usage: { input: 500, output: 7, cached: 100 } }];
const BODY = JSON.stringify({
  model: 'claude-sonnet-4-5',
  stream: true,
  messages: [{ role: 'user', content: 'Hello?' }],
  input: 'Hello?',
});

async function startModel(keys: readonly string[]): Promise<Scripted> {
  const model = await startModelEndpoint({ port: 0, script: HELLO, keys });
  onTestFinished(() => model[Symbol.asyncDispose]());
  return model;
}

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'endpoint-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function wireTo(model: ModelEndpoint): Promise<Wire> {
  return await (await startGateway()).open(grant({ model }));
}

function say(wire: Wire, target: string, body = BODY): Promise<Answer> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${wire.placeholder}` };
  return ask(wire, { target, headers, body });
}

async function account(tokenUrl: string): Promise<{ path: string; publicKey: string }> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const path = join(await directory(), 'account.json');
  const file = {
    type: 'service_account',
    client_email: 'me@my-project',
    private_key: privateKey,
    token_uri: tokenUrl,
  };
  await writeFile(path, JSON.stringify(file));
  return { path, publicKey };
}

describe('Amazon Bedrock', () => {
  const target = '/bedrock/model/us.anthropic.claude-sonnet-4-5-20250929-v1:0/invoke-with-response-stream';
  const cloud = { kind: 'bedrock', region: 'us-east-1' } as const;
  const credentials = { accessKeyId: 'AKIDCANARY', secretAccessKey: CANARY, sessionToken: `token-${CANARY}` };

  function bedrock(upstream: string): ModelEndpoint {
    const key = awsAccess({ region: 'us-east-1', credentials: async () => credentials, clock: systemClock });
    return { protocol: 'bedrock', upstream, key, cloud };
  }

  test('gets requests signed, in place of the placeholder, and its event stream is metered', async () => {
    const model = await startModel(['AKIDCANARY']);
    const wire = await wireTo(bedrock(model.url));
    const answer = await say(wire, target);
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/vnd.amazon.eventstream' } });
    expect(wire.usage()).toMatchObject({ inputTokens: 400, cachedInputTokens: 100, outputTokens: 7 });
    expect(wire.usage().costUsd).toBeGreaterThan(0);
    const [request] = model.requests;
    expect(request?.headers['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDCANARY\/\d{8}\/us-east-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=[\da-f]{64}$/,
    );
    expect(JSON.stringify(model.requests)).not.toContain(wire.placeholder);
    expect(answer.body).not.toContain(CANARY);
  });

  test('says on the wire what it says in the middle of a stream', async () => {
    const upstream = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
      response.end(exceptionFrame('throttlingException', 'Too many tokens.'));
    });
    const wire = await wireTo(bedrock(upstream));
    await say(wire, target);
    expect(wire.refusal()).toMatchObject({ status: 429, code: 'throttlingException' });
  });

  test('what it calls an error is known by AWS’s own word, and no secret comes back', async () => {
    const upstream = await startUpstream((request, response) => {
      response.writeHead(429, {
        'x-amzn-errortype': 'ThrottlingException:http://x',
        'content-type': 'application/json',
      });
      response.end(JSON.stringify({ message: `no ${String(request.headers['x-amz-security-token'])}` }));
    });
    const wire = await wireTo(bedrock(upstream));
    const answer = await say(wire, target);
    expect(wire.refusal()).toMatchObject({ status: 429, code: 'ThrottlingException' });
    expect(answer.body).not.toContain(CANARY);
  });

  test('other requests of its API, and other models’ paths that lead elsewhere, go nowhere', async () => {
    const model = await startModel([]);
    const wire = await wireTo(bedrock(model.url));
    for (const other of [
      '/bedrock/inference-profiles?type=SYSTEM_DEFINED',
      '/bedrock/model/a/../../x/invoke',
      '/bedrock/model/a%2F..%2Fb/invoke',
      '/bedrock/model/a/converse',
      '/anthropic/v1/messages',
    ])
      expect(await say(wire, other)).toMatchObject({ status: 404 });
    expect(model.requests).toEqual([]);
  });

  test('bodies that are held back to be signed are limited together, and make room when they are through', async () => {
    const model = await startModel(['AKIDCANARY']);
    const wire = await wireTo(bedrock(model.url));
    const large = JSON.stringify({ messages: [], padding: 'x'.repeat(30 * 1024 * 1024) });
    const tries = Array.from({ length: 4 }, async () => (await say(wire, target, large)).status);
    // Who is refused in the middle of sending may find the connection closed before the answer.
    const through = (await Promise.allSettled(tries)).filter((one) => one.status === 'fulfilled' && one.value === 200);
    expect(through.length).toBeLessThanOrEqual(2);
    expect(await say(wire, target, large)).toMatchObject({ status: 200 });
  });

  test('credentials from a file are read again when they are about to run out', async () => {
    const path = join(await directory(), 'aws.json');
    const write = async (AccessKeyId: string, Expiration: string): Promise<void> =>
      await writeFile(path, JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey: CANARY, Expiration }));
    let now = Date.UTC(2026, 0, 1, 12, 0);
    const read = awsCredentialsFile(path, { now: () => now, monotonic: () => 0 });
    await write('one', '2026-01-01T13:00:00Z');
    expect((await read()).accessKeyId).toBe('one');
    await write('two', '2026-01-01T14:00:00Z');
    expect((await read()).accessKeyId).toBe('one');
    now = Date.UTC(2026, 0, 1, 12, 59, 30);
    expect((await read()).accessKeyId).toBe('two');
    now = Date.UTC(2026, 0, 1, 15, 0);
    await expect(read()).rejects.toThrow(/have run out/);
    await writeFile(path, 'nonsense');
    await expect(read()).rejects.toThrow(/holds no AWS credentials/);
  });
});

describe('Vertex AI', () => {
  const cloud = { kind: 'vertex', region: 'us-east5', project: 'my-project' } as const;
  const target =
    '/vertex/v1/projects/my-project/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict';

  test('gets a bearer token for a signed assertion, once for many requests', async () => {
    const assertions: string[] = [];
    const tokens = await startUpstream((request, response) => {
      void text(request).then((body) => {
        assertions.push(new URLSearchParams(body).get('assertion') ?? '');
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ access_token: CANARY, expires_in: 3600, token_type: 'Bearer' }));
      });
    });
    const { path, publicKey } = await account(`${tokens}/token`);
    const model = await startModel([CANARY]);
    const wire = await wireTo({ protocol: 'vertex', upstream: model.url, key: googleAccess(path, systemClock), cloud });
    const answers = await Promise.all([say(wire, target), say(wire, target), say(wire, target)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(wire.usage()).toMatchObject({ inputTokens: 1200, cachedInputTokens: 300, outputTokens: 21 });
    expect(assertions).toHaveLength(1);
    const [head = '', claims = '', signature = ''] = (assertions[0] ?? '').split('.');
    expect(createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url')).toBe(true);
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'me@my-project',
      aud: `${tokens}/token`,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    });
  });

  test('another project or region than the operator’s is not there', async () => {
    const model = await startModel([CANARY]);
    const wire = await wireTo({ protocol: 'vertex', upstream: model.url, key: CANARY, cloud });
    expect(await say(wire, target)).toMatchObject({ status: 200 });
    for (const other of [target.replace('my-project', 'other'), target.replace('us-east5', 'global')])
      expect(await say(wire, other)).toMatchObject({ status: 404 });
    expect(model.requests).toHaveLength(1);
  });

  test('a token that can’t be had is a refused key, in words that help and hold no secret', async () => {
    const tokens = await startUpstream((_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: 'invalid_grant', error_description: CANARY }));
    });
    const { path } = await account(tokens);
    const wire = await wireTo({ protocol: 'vertex', upstream: tokens, key: googleAccess(path, systemClock), cloud });
    const answer = await say(wire, target);
    expect(answer.status).toBe(401);
    expect(answer.body).toMatch(/could not be turned into a token.*invalid_grant/);
    expect(answer.body).not.toContain(CANARY);
    expect(answer.body).not.toContain('PRIVATE KEY');
    expect(wire.refusal()).toMatchObject({ status: 401 });
    expect(await readFile(path, 'utf8')).toContain('PRIVATE KEY');
  });
});

describe('Azure', () => {
  test.each([
    ['its v1 API', undefined, '/openai/v1/responses', '/openai/v1/responses'],
    ['its v1 API', undefined, '/openai/v1/chat/completions', '/openai/v1/chat/completions'],
    ['a dated version', '2026-04-01', '/openai/v1/responses', '/openai/responses?api-version=2026-04-01'],
    [
      'a dated version',
      '2026-04-01',
      '/openai/v1/chat/completions',
      '/openai/deployments/claude-sonnet-4-5/chat/completions?api-version=2026-04-01',
    ],
  ])('is asked by %s (%s) at its own paths, with its own header', async (_, apiVersion, target, path) => {
    const model = await startModel([CANARY]);
    const wire = await wireTo(azureEndpoint({ upstream: model.url, key: CANARY, apiVersion }));
    expect(await say(wire, target)).toMatchObject({ status: 200 });
    expect(model.requests).toMatchObject([{ path, headers: { 'api-key': CANARY } }]);
    expect(model.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(wire.usage()).toMatchObject({ inputTokens: 400, outputTokens: 7 });
  });
});

test.each([
  'claude-sonnet-4-5',
  'claude-sonnet-4-5-20250929',
  'anthropic.claude-sonnet-4-5-20250929-v1:0',
  'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  'global.anthropic.claude-sonnet-4-5-v1:0:200k',
  'claude-sonnet-4-5@20250929',
  'anthropic/claude-sonnet-4-5',
])('the price of %s is that of the model, whatever the endpoint calls it', (model) => {
  const reading = { model, input: 1_000_000, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
  expect(usageOf(reading).costUsd).toBe(3);
});

test('which account of the operator’s is asked is not the agent’s to say', async () => {
  const model = await startModel([CANARY]);
  const wire = await wireTo({ protocol: 'openai', upstream: model.url, key: CANARY });
  const theirs = {
    'openai-organization': 'other',
    'openai-project': 'other',
    'chatgpt-account-id': 'other',
    'x-amz-security-token': 'other',
    'x-goog-user-project': 'other',
  };
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${wire.placeholder}`, ...theirs };
  expect(await ask(wire, { target: '/openai/v1/responses', headers, body: BODY })).toMatchObject({ status: 200 });
  for (const name of Object.keys(theirs)) expect(model.requests[0]?.headers).not.toHaveProperty(name);
});
