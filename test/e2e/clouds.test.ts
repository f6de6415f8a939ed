import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Script } from '../../local-model/script.ts';
import { startModelEndpoint, type ModelEndpoint } from '../../local-model/server.ts';
import { describeWith } from '../setup/require.ts';
import { KEY_CANARY } from './stage.ts';
import { useHarness } from './suite.ts';

/** A real program of 300 MB has to start. */
const PATIENCE_MS = 200_000;

const WORK: Script = [
  { text: 'I will write it.', write: { path: '/lane/repo/one.txt', content: 'one\n' } },
  { text: 'Wrote one.txt.' },
];

/** The real Claude Code, told that its model is in a cloud, and the cloud's paths and forms on a scripted endpoint. */
describeWith('agentImage', 'Claude Code in a cloud', () => {
  let model: ModelEndpoint;
  let tokens: Server;
  const directory = mkdtempSync(path.join(tmpdir(), 'clouds-'));
  const account = path.join(directory, 'account.json');
  beforeAll(async () => {
    model = await startModelEndpoint({ port: 0, script: WORK, keys: [KEY_CANARY, 'AKIDEXAMPLE'] });
    tokens = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ access_token: KEY_CANARY, expires_in: 3600 }));
    });
    await new Promise<void>((resolve) => {
      tokens.listen(0, '127.0.0.1', resolve);
    });
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const tokenUri = `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`;
    const file = { type: 'service_account', client_email: 'me@p', private_key: privateKey, token_uri: tokenUri };
    writeFileSync(account, JSON.stringify(file));
  });
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
    tokens.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const bedrock = useHarness(() => ({
    runner: 'docker',
    env: {
      ANTHROPIC_ENDPOINT: 'bedrock',
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: KEY_CANARY,
      BEDROCK_BASE_URL: model.url,
    },
  }));
  const vertex = useHarness(() => ({
    runner: 'docker',
    env: {
      ANTHROPIC_ENDPOINT: 'vertex',
      VERTEX_PROJECT: 'my-project',
      VERTEX_REGION: 'europe-west1',
      GOOGLE_APPLICATION_CREDENTIALS: account,
      VERTEX_BASE_URL: model.url,
    },
  }));

  it.each([
    {
      name: 'Bedrock',
      suite: bedrock,
      asked: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
      at: '/model/eu.anthropic.claude-sonnet-4-5-20250929-v1:0/invoke-with-response-stream',
      authorization: /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/bedrock\/aws4_request, /,
    },
    {
      name: 'Vertex AI',
      suite: vertex,
      asked: 'claude-sonnet-4-5@20250929',
      at: '/v1/projects/my-project/locations/europe-west1/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict',
      authorization: new RegExp(`^Bearer ${KEY_CANARY}$`),
    },
  ])(
    '$name: makes a pull request, is metered, and holds no credential',
    async ({ suite, asked, at, authorization }) => {
      const place = await suite.place();
      const issue = await place.issue('One file', 'Write one.txt.');
      const before = model.requests.length;
      await place.comment(issue, `/maestro run provider=claude-code model=${asked}`);
      await place.until(
        'the end of the run',
        async () => (await place.runs()).some(({ endedAt }) => endedAt !== undefined),
        PATIENCE_MS,
      );
      const run = await place.settledRun();
      expect(run.tasks.map(({ outcome }) => outcome)).toMatchObject([{ kind: 'committed' }]);
      const requests = model.requests.slice(before).filter((one) => one.path === at);
      expect(requests.length).toBeGreaterThanOrEqual(2);
      for (const { headers } of requests) expect(headers['authorization']).toMatch(authorization);
      const [pull] = await place.pulls();
      expect(pull?.body).toMatch(/\| Tokens \| [1-9][\d.]*k? in, [1-9][\d.]*k? out \|/);
      expect(pull?.body).toMatch(/\| Cost \| \$0\.0\d*[1-9]\d* \|/);
      expect(await place.agentSaid(KEY_CANARY)).toBe(false);
    },
  );
});
