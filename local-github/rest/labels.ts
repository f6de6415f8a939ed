import { z } from 'zod';
import { authorOf } from '../auth/access.ts';
import { notFound, validationFailed } from '../errors.ts';
import { emitLabel } from '../events.ts';
import type { Author, Hub } from '../hub.ts';
import { labelByName, labelsOf } from '../lookup.ts';
import { paginate } from '../pages.ts';
import { presentLabel } from '../presenters/issue.ts';
import { readBody } from '../request-body.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { takeId } from '../state.ts';
import type { Label, Repository } from '../state.ts';

const READ = {
  app: [
    ['issues', 'read'],
    ['pull_requests', 'read'],
  ],
  user: 'read',
} as const;
const WRITE = {
  app: [
    ['issues', 'write'],
    ['pull_requests', 'write'],
  ],
  user: 'write',
} as const;

const Color = z.string().regex(/^#?[0-9a-fA-F]{6}$/);
const Create = z.object({ name: z.string(), color: Color.optional(), description: z.string().nullish() });
const Update = z.object({
  new_name: z.string().optional(),
  color: Color.optional(),
  description: z.string().nullish(),
});

// What GitHub gives a label that is made by using it.
const PLAIN_COLOR = 'ededed';

export const labelRoutes: readonly Route[] = [
  onRepository('GET /labels', 'issues/list-labels-for-repo', READ, (call) =>
    paginate(call, labelsOf(call.hub.world, call.repository), (label) => presentLabel(call.hub, label)),
  ),
  onRepository('POST /labels', 'issues/create-label', WRITE, create),
  onRepository('GET /labels/{name}', 'issues/get-label', READ, (call) => ({
    status: 200,
    body: presentLabel(call.hub, labelOf(call)),
  })),
  onRepository('PATCH /labels/{name}', 'issues/update-label', WRITE, update),
  onRepository('DELETE /labels/{name}', 'issues/delete-label', WRITE, remove),
];

function labelOf(call: RepositoryCall): Label {
  const label = labelByName(call.hub.world, call.repository, call.params['name'] ?? '');
  if (label === undefined) throw notFound();
  return label;
}

function create(call: RepositoryCall): Reply {
  const { hub, repository } = call;
  const body = readBody(Create, call.body);
  refuseDuplicate(hub, repository, body.name);
  const label = addLabel(hub, repository, {
    name: body.name,
    color: body.color?.replace('#', '') ?? PLAIN_COLOR,
    description: body.description ?? null,
  });
  emitLabel(hub, label, { action: 'created', author: authorOf(call.actor) });
  return { status: 201, body: presentLabel(hub, label) };
}

function refuseDuplicate(hub: Hub, repository: Repository, name: string): void {
  if (labelByName(hub.world, repository, name) === undefined) return;
  throw validationFailed({ resource: 'Label', code: 'already_exists', field: 'name' });
}

function update(call: RepositoryCall): Reply {
  const { hub, repository } = call;
  const label = labelOf(call);
  const body = readBody(Update, call.body);
  const changes: Record<string, unknown> = {};
  if (body.new_name !== undefined && body.new_name !== label.name) {
    if (body.new_name.toLowerCase() !== label.name.toLowerCase()) refuseDuplicate(hub, repository, body.new_name);
    changes['name'] = { from: label.name };
    label.name = body.new_name;
  }
  if (body.color !== undefined) {
    changes['color'] = { from: label.color };
    label.color = body.color.replace('#', '');
  }
  if (body.description !== undefined) {
    changes['description'] = { from: label.description ?? '' };
    label.description = body.description;
  }
  emitLabel(hub, label, { action: 'edited', author: authorOf(call.actor), extra: { changes } });
  return { status: 200, body: presentLabel(hub, label) };
}

function remove(call: RepositoryCall): Reply {
  const { hub } = call;
  const label = labelOf(call);
  for (const issue of Object.values(hub.world.issues)) {
    issue.labelIds = issue.labelIds.filter((id) => id !== label.id);
  }
  emitLabel(hub, label, { action: 'deleted', author: authorOf(call.actor) });
  delete hub.world.labels[label.id];
  return { status: 204 };
}

/** Puts a label into a repository. Nothing is told. */
export function addLabel(
  hub: Pick<Hub, 'world'>,
  repository: Repository,
  label: Pick<Label, 'name' | 'color' | 'description'>,
): Label {
  const added: Label = { id: takeId(hub.world), repositoryId: repository.id, ...label };
  hub.world.labels[added.id] = added;
  return added;
}

/** Ids of labels by name; as on GitHub, names that are not there yet become labels, told as `label.created`. */
export function ensureLabels(hub: Hub, repository: Repository, names: readonly string[], author: Author): number[] {
  return names.map((name) => {
    const known = labelByName(hub.world, repository, name);
    if (known !== undefined) return known.id;
    const label = addLabel(hub, repository, { name, color: PLAIN_COLOR, description: null });
    emitLabel(hub, label, { action: 'created', author });
    return label.id;
  });
}
