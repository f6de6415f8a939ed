import { z } from 'zod';
import { grants, reaches } from '../auth/access.ts';
import { suspended } from '../auth/authenticate.ts';
import { forgetOldTokens, issueInstallationToken } from '../auth/tokens.ts';
import { timestamp } from '../clock.ts';
import { HttpError, notFound, unprocessable } from '../errors.ts';
import { presentDelivery } from '../hooks.ts';
import type { Actor } from '../hub.ts';
import { installationOf, repositoriesOf, repositoryByName } from '../lookup.ts';
import { pageOf, paginate } from '../pages.ts';
import { presentApp, presentInstallation } from '../presenters/app.ts';
import { presentReachedRepository, presentRepository } from '../presenters/repository.ts';
import { readBody } from '../request-body.ts';
import { plain } from '../routes.ts';
import type { Call, Reply, Route } from '../routes.ts';
import type { Delivery, Installation, Level, Permissions, Repository } from '../state.ts';

const Narrowing = z.object({
  repositories: z.array(z.string()).optional(),
  repository_ids: z.array(z.number()).optional(),
  permissions: z.record(z.string(), z.enum(['read', 'write'])).optional(),
});
const HookConfig = z.object({
  url: z.string().optional(),
  secret: z.string().optional(),
  content_type: z.string().optional(),
  insecure_ssl: z.union([z.string(), z.number()]).optional(),
});

/** Routes for the App itself and for its installations. `tokenLifetime` is in milliseconds. */
export function appRoutes(tokenLifetime: number): readonly Route[] {
  return [
    plain('GET /app', 'apps/get-authenticated', 'app', (call) => ({ status: 200, body: presentApp(call.hub) })),
    plain('GET /app/installations', 'apps/list-installations', 'app', (call) =>
      paginate(call, Object.values(call.hub.world.installations), (one) => presentInstallation(call.hub, one)),
    ),
    plain('GET /app/installations/{installation_id}', 'apps/get-installation', 'app', (call) => ({
      status: 200,
      body: presentInstallation(call.hub, installationIn(call)),
    })),
    plain(
      'POST /app/installations/{installation_id}/access_tokens',
      'apps/create-installation-access-token',
      'app',
      (call) => createToken(call, tokenLifetime),
    ),
    plain('GET /repos/{owner}/{repo}/installation', 'apps/get-repo-installation', 'app', repositoryInstallation),
    plain('GET /installation/repositories', 'apps/list-repos-accessible-to-installation', 'installation', repositories),
    plain('DELETE /installation/token', 'apps/revoke-installation-access-token', 'installation', (call) => {
      if (call.actor.kind === 'installation') delete call.hub.world.tokens[call.actor.token.token];
      return { status: 204 };
    }),
    plain('GET /app/hook/config', 'apps/get-webhook-config-for-app', 'app', (call) => hookConfig(call)),
    plain('PATCH /app/hook/config', 'apps/update-webhook-config-for-app', 'app', updateHookConfig),
    plain('GET /app/hook/deliveries', 'apps/list-webhook-deliveries', 'app', listDeliveries),
    plain('GET /app/hook/deliveries/{delivery_id}', 'apps/get-webhook-delivery', 'app', (call) => ({
      status: 200,
      body: presentDelivery(deliveryIn(call), true),
    })),
    plain('POST /app/hook/deliveries/{delivery_id}/attempts', 'apps/redeliver-webhook-delivery', 'app', (call) => {
      call.hub.hooks.redeliver(deliveryIn(call));
      return { status: 202, body: {} };
    }),
  ];
}

function installationIn(call: Call): Installation {
  const installation = call.hub.world.installations[Number(call.params['installation_id'])];
  if (installation === undefined) throw notFound();
  return installation;
}

function createToken(call: Call, lifetime: number): Reply {
  const { hub } = call;
  const installation = installationIn(call);
  if (installation.suspendedAt !== null) throw suspended();
  const body = readBody(Narrowing, call.body);
  const chosen = chosenRepositories(call, installation, body);
  const permissions = body.permissions ?? installation.permissions;
  const excess = Object.entries(permissions).find(([name, level]) => !grants(installation.permissions, name, level));
  if (excess !== undefined) throw unprocessable('The permissions requested are not granted to this installation.');
  forgetOldTokens(hub);
  const issued = issueInstallationToken(hub, installation, {
    // Every token may read metadata, asked for or not.
    permissions: { ...(permissions as Record<string, Level>), metadata: 'read' } satisfies Permissions,
    repositoryIds: chosen?.map((repository) => repository.id),
    lifetime,
  });
  const selected = chosen !== undefined || installation.repositorySelection === 'selected';
  return {
    status: 201,
    body: {
      token: issued.token,
      expires_at: timestamp(issued.expiresAt),
      permissions: issued.permissions,
      repository_selection: selected ? 'selected' : 'all',
      ...(chosen === undefined ? {} : { repositories: chosen.map((repository) => presentRepository(hub, repository)) }),
    },
  };
}

function chosenRepositories(
  call: Call,
  installation: Installation,
  body: z.infer<typeof Narrowing>,
): Repository[] | undefined {
  if (body.repositories === undefined && body.repository_ids === undefined) return undefined;
  const covered = repositoriesOf(call.hub.world, installation);
  const byName = (body.repositories ?? []).map((name) =>
    covered.find((repository) => repository.name.toLowerCase() === name.toLowerCase()),
  );
  const byId = (body.repository_ids ?? []).map((id) => covered.find((repository) => repository.id === id));
  const chosen = [...byName, ...byId];
  if (chosen.some((repository) => repository === undefined)) {
    throw unprocessable(
      'There is at least one repository that does not exist or is not accessible to the parent installation.',
    );
  }
  return [...new Set(chosen.filter((repository) => repository !== undefined))];
}

function repositoryInstallation(call: Call): Reply {
  const { owner = '', repo = '' } = call.params;
  const found = repositoryByName(call.hub.world, `${owner}/${repo}`);
  const installation = found === undefined ? undefined : installationOf(call.hub.world, found.repository);
  if (installation === undefined) throw notFound();
  return { status: 200, body: presentInstallation(call.hub, installation) };
}

function repositories(call: Call): Reply {
  const { hub } = call;
  const actor = call.actor as Extract<Actor, { readonly kind: 'installation' }>;
  const found = Object.values(hub.world.repositories).filter((repository) => reaches(hub, actor, repository));
  return paginate(
    call,
    found,
    (repository) => presentReachedRepository(hub, repository, actor),
    (page, total) => ({
      total_count: total,
      repository_selection: actor.token.repositoryIds === undefined ? 'all' : 'selected',
      repositories: page,
    }),
  );
}

function hookConfig(call: Call): Reply {
  const { webhookUrl } = call.hub.world.app;
  return {
    status: 200,
    body: { url: webhookUrl ?? '', content_type: 'json', insecure_ssl: '0', secret: '********' },
  };
}

function updateHookConfig(call: Call): Reply {
  const body = readBody(HookConfig, call.body);
  const { app } = call.hub.world;
  if (body.url !== undefined) {
    if (!URL.canParse(body.url)) throw unprocessable('Validation Failed: url is not a valid URL');
    app.webhookUrl = body.url;
  }
  if (body.secret !== undefined) app.webhookSecret = body.secret;
  return hookConfig(call);
}

function deliveryIn(call: Call): Delivery {
  const delivery = call.hub.world.deliveries.find((one) => one.id === Number(call.params['delivery_id']));
  if (delivery === undefined) throw notFound();
  return delivery;
}

// Newest first, and by cursor instead of page number.
function listDeliveries(call: Call): Reply {
  const { perPage } = pageOf(call.query);
  const cursor = call.query.get('cursor');
  const status = call.query.get('status');
  const all = call.hub.world.deliveries
    .toReversed()
    .filter((delivery) => status === null || (delivery.statusCode < 400 ? 'success' : 'failure') === status);
  const start = cursor === null ? 0 : all.findIndex((delivery) => `v1_${delivery.id}` === cursor);
  if (start < 0) throw new HttpError(422, 'Invalid cursor');
  const page = all.slice(start, start + perPage);
  const next = all[start + perPage];
  const query = new URLSearchParams(call.query);
  if (next !== undefined) query.set('cursor', `v1_${next.id}`);
  return {
    status: 200,
    body: page.map((delivery) => presentDelivery(delivery, false)),
    ...(next === undefined ? {} : { headers: { link: `<${call.address}?${query.toString()}>; rel="next"` } }),
  };
}
