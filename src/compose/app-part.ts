import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Probot, ProbotOctokit } from 'probot';
import { startComingBack } from '../app/coming-back.ts';
import type { AppRules } from '../app/deps.ts';
import { createFrontDoor } from '../app/http.ts';
import { createInbox } from '../app/inbox.ts';
import { isNewborn, openLater } from '../app/newborn.ts';
import { createDeliveryNotes } from '../app/notes.ts';
import { maestroApp } from '../app/probot.ts';
import { apiBaseUrl, ConfigError, type Config } from '../config.ts';
import { systemClock } from '../domain/clock.ts';
import { providerIds } from '../providers/ids.ts';
import { operatorBudget } from './budget.ts';
import type { Part, Shared } from './shared.ts';
import { spaceOf } from './space.ts';
import { keepMsOf } from './shelf.ts';

/** Starts process 1: hears GitHub and turns what it hears into runs. `understudy` is as the worker has it. */
export async function startApp(shared: Shared, options: { readonly understudy?: string } = {}): Promise<Part> {
  const { config, log, store, forge } = shared;
  const queue = await shared.openQueue();
  await queue.check();
  const notes = createDeliveryNotes();
  const rules: AppRules = {
    providers: options.understudy === undefined ? providerIds : [...providerIds, options.understudy],
    defaultProviders: config.MAESTRO_PROVIDER,
    allowedBots: config.MAESTRO_ALLOWED_BOTS,
    branchPrefix: 'maestro/',
    playbookDirectory: '.maestro/playbooks',
    repositoryBytes: config.MAESTRO_REPOSITORY_MB * 1024 ** 2,
    keepMs: keepMsOf(config),
    budget: operatorBudget(config),
  };
  const probot = new Probot({
    appId: config.APP_ID,
    privateKey: config.PRIVATE_KEY,
    secret: config.WEBHOOK_SECRET,
    baseUrl: apiBaseUrl(config),
    log: log.child({ part: 'probot' }),
    Octokit: ProbotOctokit.defaults({ baseUrl: apiBaseUrl(config) }),
  });
  const deps = {
    store,
    queue,
    forge,
    shelf: shared.shelf,
    clock: systemClock,
    log,
    notes,
    rules,
    space: spaceOf(config),
  };
  await probot.load(maestroApp(deps));
  const inbox = createInbox({ store, probot, notes, clock: systemClock, log });
  const isNew = await isNewborn(store);
  const opening = openLater(inbox);
  const server = createFrontDoor({
    store,
    clock: systemClock,
    log,
    webhookSecret: config.WEBHOOK_SECRET,
    wake: opening.wake,
  });
  const url = await listen(server, config);
  log.info({ url }, 'listening for webhooks');
  const comingBack = startComingBack({
    store,
    queue,
    hookLog: forge,
    survey: forge,
    forge,
    rules,
    wake: opening.wake,
    clock: systemClock,
    log,
    sweepMs: config.MAESTRO_SWEEP_SECONDS * 1000,
    scanMs: config.MAESTRO_SCAN_SECONDS * 1000,
    keepMs: rules.keepMs,
  });
  opening.openAfter(isNew ? comingBack.lookedThrough : Promise.resolve());
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      opening.cancel();
      await comingBack.close();
      await close(server);
      await inbox.stop();
      await queue.close();
    },
  };
}

function listen(server: Server, config: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new ConfigError(
              `Port ${config.PORT} on ${config.HOST} is taken by another program: set PORT to a free one.`,
            )
          : error,
      ),
    );
    server.listen(config.PORT, config.HOST, () => {
      const { port } = server.address() as AddressInfo;
      resolve(`http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 2_000).unref();
  });
}
