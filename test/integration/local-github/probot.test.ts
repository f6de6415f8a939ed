import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeMiddleware, createProbot } from 'probot';
import { expect, it, onTestFinished } from 'vitest';
import { local, octokitWith } from './support.ts';

it('serves a Probot app that was pointed here by environment alone', async () => {
  const github = await local({
    seed: { repositories: [{ name: 'demo', files: { '.github/maestro.yml': 'greeting: hello\n' } }] },
  });
  const env = {
    APP_ID: String(github.app.id),
    PRIVATE_KEY: github.app.privateKey,
    WEBHOOK_SECRET: github.app.webhookSecret,
    GHE_HOST: github.host,
    GHE_PROTOCOL: 'http',
    LOG_LEVEL: 'fatal',
  } as const;
  const middleware = await createNodeMiddleware(
    (app) => {
      app.on('issues.labeled', async (context) => {
        const config = await context.config<{ greeting: string }>('maestro.yml');
        const { data } = await context.octokit.rest.users.getByUsername({ username: 'maestro[bot]' });
        const body = `${config?.greeting} ${context.payload.label?.name} from ${data.login}`;
        await context.octokit.rest.issues.createComment(context.issue({ body }));
      });
    },
    { probot: createProbot({ env }), webhooksPath: '/hooks' },
  );
  const server = createServer((request, response) => void middleware(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  github.control.setWebhookUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`);

  const ada = octokitWith(github.apiUrl, github.as('ada').token);
  await ada.rest.issues.create({ owner: 'acme', repo: 'demo', title: 'x', labels: ['maestro'] });
  await github.control.hooksQuiet();

  const { data } = await ada.rest.issues.listComments({ owner: 'acme', repo: 'demo', issue_number: 1 });
  expect(data).toMatchObject([
    { body: 'hello maestro from maestro[bot]', user: { login: 'maestro[bot]', type: 'Bot' } },
  ]);
});
