import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import { createNodeMiddleware, Probot } from 'probot';

/**
 * The baseline of the delivery figures: the least a Probot app can do with a push and not lose it at once, which is to add one job
 * to BullMQ before it answers. It keeps no record of its own.
 */
const { APP_ID = '', PRIVATE_KEY = '', WEBHOOK_SECRET = '', REDIS_URL = '' } = process.env;
const queue = new Queue('bare', { connection: { url: REDIS_URL } });
const middleware = await createNodeMiddleware(
  (app) => {
    app.on('push', async ({ id }) => {
      await queue.add('push', { id }, { jobId: id });
    });
  },
  {
    probot: new Probot({ appId: APP_ID, privateKey: PRIVATE_KEY, secret: WEBHOOK_SECRET }),
    webhooksPath: '/api/github/webhooks',
  },
);
const server = createServer((request, response) => {
  void middleware(request, response);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stderr.write(`${JSON.stringify({ msg: 'listening for webhooks', url: `http://127.0.0.1:${port}` })}\n`);
});
