import type { GraphQLSchema } from 'graphql';
import { z } from 'zod';
import { authorOf, checkAccess } from './auth/access.ts';
import { timestamp } from './clock.ts';
import { emitThread } from './events.ts';
import type { Actor, Hub } from './hub.ts';
import { issueByNumber, repositoryById, repositoryByName } from './lookup.ts';
import { keyOfNodeId, nodeId } from './presenters/node-id.ts';
import { isPull } from './presenters/pull.ts';
import type { PullIssue } from './presenters/pull.ts';
import type { Reply } from './routes.ts';

const SCHEMA = `
  type Query { repository(owner: String!, name: String!): Repository }
  type Repository { id: ID!, databaseId: Int, name: String!, pullRequest(number: Int!): PullRequest }
  type PullRequest {
    id: ID!, databaseId: Int, number: Int!, title: String!, isDraft: Boolean!, state: String!, headRefOid: String!
  }
  input MarkPullRequestReadyForReviewInput { pullRequestId: ID!, clientMutationId: String }
  input ConvertPullRequestToDraftInput { pullRequestId: ID!, clientMutationId: String }
  type PullRequestPayload { pullRequest: PullRequest, clientMutationId: String }
  type Mutation {
    markPullRequestReadyForReview(input: MarkPullRequestReadyForReviewInput!): PullRequestPayload
    convertPullRequestToDraft(input: ConvertPullRequestToDraftInput!): PullRequestPayload
  }
`;

const Body = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

interface DraftInput {
  readonly input: { readonly pullRequestId: string; readonly clientMutationId?: string };
}

let schema: GraphQLSchema | undefined;

/** Answers a GraphQL request: the two draft mutations and a pull request's state, nothing else. */
export async function handleGraphql(hub: Hub, actor: Actor, body: unknown): Promise<Reply> {
  // Loaded when first asked: most runs never are, and the package comes with the development dependencies.
  const { buildSchema, graphql } = await import('graphql');
  schema ??= buildSchema(SCHEMA);
  const parsed = Body.safeParse(body);
  if (!parsed.success)
    return { status: 400, body: { message: 'A query attribute must be specified and must be a string.' } };
  const result = await graphql({
    schema,
    source: parsed.data.query,
    rootValue: rootFor(hub, actor),
    variableValues: parsed.data.variables ?? {},
    operationName: parsed.data.operationName ?? null,
  });
  const errors = result.errors?.map((error) => ({
    type: typeof error.extensions['type'] === 'string' ? error.extensions['type'] : 'UNPROCESSABLE',
    path: error.path,
    locations: error.locations,
    message: error.message,
  }));
  return { status: 200, body: { data: result.data ?? null, ...(errors === undefined ? {} : { errors }) } };
}

function rootFor(hub: Hub, actor: Actor) {
  return {
    repository: ({ owner, name }: { readonly owner: string; readonly name: string }) => {
      const found = repositoryByName(hub.world, `${owner}/${name}`)?.repository;
      if (found === undefined) {
        throw new Error(`Could not resolve to a Repository with the name '${owner}/${name}'.`);
      }
      checkAccess(hub, actor, found, { app: [['metadata', 'read']], user: 'read' });
      return {
        id: nodeId('repository', found.id),
        databaseId: found.id,
        name: found.name,
        pullRequest: ({ number }: { readonly number: number }) => {
          const issue = issueByNumber(hub.world, found, number);
          if (issue === undefined || !isPull(issue)) {
            throw new Error(`Could not resolve to a PullRequest with the number of ${number}.`);
          }
          return presentPull(issue);
        },
      };
    },
    markPullRequestReadyForReview: async ({ input }: DraftInput) => await setDraft(hub, actor, input, false),
    convertPullRequestToDraft: async ({ input }: DraftInput) => await setDraft(hub, actor, input, true),
  };
}

async function setDraft(hub: Hub, actor: Actor, input: DraftInput['input'], draft: boolean) {
  const id = Number(keyOfNodeId('pull', input.pullRequestId));
  const issue = hub.world.issues[id];
  if (issue === undefined || !isPull(issue)) {
    throw new Error(`Could not resolve to a node with the global id of '${input.pullRequestId}'.`);
  }
  const repository = repositoryById(hub.world, issue.repositoryId);
  checkAccess(hub, actor, repository, { app: [['pull_requests', 'write']], user: 'write' });
  const author = authorOf(actor);
  await hub.lock(repository.id, async () => {
    if (issue.pull.draft === draft) return;
    issue.pull.draft = draft;
    issue.updatedAt = timestamp(hub.clock.now());
    await emitThread(hub, issue, { action: draft ? 'converted_to_draft' : 'ready_for_review', author });
  });
  return { pullRequest: presentPull(issue), clientMutationId: input.clientMutationId };
}

function presentPull(issue: PullIssue) {
  return {
    id: nodeId('pull', issue.id),
    databaseId: issue.pull.id,
    number: issue.number,
    title: issue.title,
    isDraft: issue.pull.draft,
    state: issue.pull.mergedAt === null ? issue.state.toUpperCase() : 'MERGED',
    headRefOid: issue.pull.headSha,
  };
}
