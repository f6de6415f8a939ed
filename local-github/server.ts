import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit } from './audit.ts';
import { createUserClient } from './client.ts';
import type { LocalUser } from './client.ts';
import { createServerClock } from './clock.ts';
import type { ServerClock } from './clock.ts';
import { createControl, installationNamed, userToken } from './control.ts';
import type { Control } from './control.ts';
import { dispatch } from './dispatch.ts';
import { createFaults } from './faults.ts';
import { createHookQueue } from './hooks.ts';
import { apiUrl } from './hub.ts';
import type { Hub } from './hub.ts';
import { createLock } from './lock.ts';
import { accountById, accountByLogin, fullNameOf } from './lookup.ts';
import { createRecorder } from './recorder.ts';
import type { Recorder } from './recorder.ts';
import { createRateLimits } from './rate-limits.ts';
import { allRoutes } from './rest/routes.ts';
import { createRouter } from './router.ts';
import { createSaving } from './saving.ts';
import { plant } from './seed.ts';
import type { Seed } from './seed.ts';
import { createWorld, loadWorld, saveWorld } from './world.ts';
import type { AppOptions } from './world.ts';

/** How to start a local GitHub; everything may be omitted. */
export interface LocalGithubOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Kept there across restarts; a temporary directory, removed in the end, when omitted. */
  readonly dataDir?: string;
  readonly webhookUrl?: string;
  readonly clock?: ServerClock;
  readonly seed?: Seed;
  readonly app?: AppOptions;
  /** Life of an installation token in milliseconds; an hour when omitted. */
  readonly tokenLifetime?: number;
}

/** A running local GitHub. */
export interface LocalGithub extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Base URL for octokit. */
  readonly apiUrl: string;
  /** `127.0.0.1:PORT`, for `GHE_HOST`. */
  readonly host: string;
  readonly app: {
    readonly id: number;
    readonly privateKey: string;
    readonly webhookSecret: string;
    readonly slug: string;
    readonly botUserId: number;
  };
  /** Of the first owner, as it is now. */
  readonly installationId: number;
  readonly users: readonly LocalUser[];
  readonly repositories: readonly { readonly id: number; readonly fullName: string; readonly cloneUrl: string }[];
  readonly control: Control;
  /** What it was asked and answered over REST, and what webhooks it sent: for a referee to judge. */
  readonly recorder: Recorder;
  /** Address to clone from and push to, with a token inside if given. */
  gitUrl(owner: string, repository: string, token?: string): string;
  /** A client that acts as a person. Throws when there is no such user. */
  as(login: string): LocalUser;
  /** Stops it; nothing is left but a data directory that was asked for. */
  close(): Promise<void>;
}

const HOUR = 60 * 60 * 1000;
const LOOPBACK = '127.0.0.1';
// Longer than any client keeps an idle connection, so that it is never the server that closes one just being used.
const KEEP_ALIVE = 65_000;

/** Starts a local GitHub. Rejects with a clear message when the port is taken or the data directory can't be used. */
export async function startLocalGithub(options: LocalGithubOptions = {}): Promise<LocalGithub> {
  const clock = options.clock ?? createServerClock();
  const directory = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'local-github-')));
  await mkdir(join(directory, 'git'), { recursive: true });
  const world = (await loadWorld(directory)) ?? (await createWorld(options.app ?? {}, clock.now()));
  const saving = createSaving(
    async () => {
      if (options.dataDir !== undefined) await saveWorld(directory, world);
    },
    (error) => process.emitWarning(`The local GitHub could not save its state: ${String(error)}`),
  );
  const faults = createFaults();
  const changed = (): void => saving.changed();
  const audit = createAudit();
  const hooks = createHookQueue({ world, clock, faults, delivered: audit.deliveries.add, changed });
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE, requestTimeout: 0 });
  const hub: Hub = {
    world,
    clock,
    faults,
    hooks,
    lock: createLock(),
    audit,
    dataDirectory: directory,
    url: () => `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`,
  };
  try {
    await plant(hub, options.seed ?? {});
    world.app.ownerId = installationNamed(hub).accountId;
    if (options.webhookUrl !== undefined) world.app.webhookUrl = options.webhookUrl;
    const limits = createRateLimits(clock);
    const control = createControl(hub);
    const router = createRouter(allRoutes({ tokenLifetime: options.tokenLifetime ?? HOUR, limits }));
    server.on('request', (request, response) => {
      dispatch({ hub, router, limits, control, changed }, request, response).catch((error: unknown) => {
        process.emitWarning(`The local GitHub failed on ${request.method} ${request.url}: ${String(error)}`);
        response.destroy();
      });
    });
    await listen(server, options.port ?? 0);
    changed();
    return describe(hub, control, async () => {
      await stop(server);
      await hooks.close();
      await saving.close();
      if (options.dataDir === undefined) await rm(directory, { recursive: true, force: true });
    });
  } catch (error) {
    if (options.dataDir === undefined) await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        taken
          ? new Error(`Port ${port} is taken: end what listens there, or choose another port (0 takes a free one).`)
          : error,
      );
    });
    server.listen(port, LOOPBACK, resolve);
  });
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeAllConnections();
  await closed;
}

function describe(hub: Hub, control: Control, stop: () => Promise<void>): LocalGithub {
  const { world } = hub;
  const url = hub.url();
  const { id, privateKey, webhookSecret, slug, botUserId } = world.app;
  let stopped: Promise<void> | undefined;
  const close = async (): Promise<void> => await (stopped ??= stop());

  function as(login: string): LocalUser {
    const account = accountByLogin(world, login);
    if (account === undefined) throw new Error(`There is no user ${login}.`);
    const user = { id: account.id, login: account.login, token: userToken(hub, login) };
    return createUserClient(apiUrl(hub), user);
  }

  function gitUrl(owner: string, repository: string, token?: string): string {
    const base = token === undefined ? url : url.replace('://', `://x-access-token:${token}@`);
    return `${base}/${owner}/${repository}.git`;
  }

  return {
    url,
    apiUrl: `${url}/api/v3`,
    host: new URL(url).host,
    app: { id, privateKey, webhookSecret, slug, botUserId },
    get installationId() {
      return installationNamed(hub).id;
    },
    get users() {
      const tokens = Object.values(world.tokens).filter((token) => token.kind === 'user');
      return tokens.map((token) => as(accountById(world, token.userId).login));
    },
    get repositories() {
      return Object.values(world.repositories).map((repository) => {
        const fullName = fullNameOf(world, repository);
        return { id: repository.id, fullName, cloneUrl: `${url}/${fullName}.git` };
      });
    },
    control,
    recorder: createRecorder(hub),
    gitUrl,
    as,
    close,
    [Symbol.asyncDispose]: close,
  };
}
