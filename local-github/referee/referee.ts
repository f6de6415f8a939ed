import { jsonSchemaOf, type OpenApiDocument, readRestDocument, readWebhookDocument } from './document.ts';
import { remembered } from './remembered.ts';
import { judgeRequest, type RestRequest } from './requests.ts';
import { judgeResponse, type RestResponse } from './responses.ts';
import { restRulesOf } from './rest-rules.ts';
import { type Check, createValidators } from './validators.ts';
import { isRecord, judge, type Violation } from './verdict.ts';

/**
 * Judges REST requests, REST responses and webhook payloads by GitHub's own schemas. It sees shapes, not meaning: that a
 * permission is spelled right or a pull request really was opened is for behavioural tests.
 */
export interface Referee {
  /** What GitHub would not accept: unknown operation, one the actor may not call, unknown or malformed path, query or body. */
  checkRequest(request: RestRequest): readonly Violation[];
  /** What GitHub would not answer: undocumented status, malformed body. */
  checkResponse(response: RestResponse): readonly Violation[];
  /** What GitHub would not send. `event` as in the `X-GitHub-Event` header. */
  checkWebhook(webhook: { readonly event: string; readonly payload: unknown }): readonly Violation[];
}

/** The referee of this process: with all it compiled it takes 150 MB, and 2 s for what one run asks of GitHub. */
export const sharedReferee = lazily(createReferee);

/** Reads GitHub's documents when first asked about one (0.2 s each), and compiles each operation's schemas at its first use. */
export function createReferee(): Referee {
  const rest = lazily(() => restRulesOf(readRestDocument()));
  const webhooks = lazily(() => webhookRulesOf(readWebhookDocument()));
  return {
    checkRequest(request) {
      const where = `request ${request.method.toUpperCase()} ${request.path}`;
      const match = rest().find(request.method, withoutPrefix(request.path));
      if (match === undefined) return [{ where, message: "GitHub's REST API has no such operation" }];
      return judgeRequest(rest(), { ...request, match, where: `${where} (${match.operation.id})` });
    },
    checkResponse(response) {
      const where = `response ${response.status} to ${response.method.toUpperCase()} ${response.path}`;
      const match = rest().find(response.method, withoutPrefix(response.path));
      // Whatever is asked at an address GitHub does not have, it answers 404.
      if (match === undefined && response.status === 404) return [];
      if (match === undefined)
        return [{ where, message: "GitHub's REST API has no such operation, so this must be 404" }];
      const { operation } = match;
      return judgeResponse(rest(), { ...response, operation, where: `${where} (${operation.id})` });
    },
    checkWebhook({ event, payload }) {
      const action = isRecord(payload) && typeof payload['action'] === 'string' ? payload['action'] : undefined;
      const name = [event, action]
        .filter((part) => part !== undefined)
        .join('-')
        .replaceAll('_', '-');
      const where = `webhook ${event}${action === undefined ? '' : `.${action}`}`;
      const check = webhooks()(name);
      if (check === undefined) return [{ where, message: 'GitHub sends no such event' }];
      return judge({ check, subject: name, value: payload, where });
    },
  };
}

function webhookRulesOf(document: OpenApiDocument): (name: string) => Check | undefined {
  const validators = createValidators(document, { coerce: false });
  const checks = new Map<string, Check | undefined>();
  return (name) =>
    remembered(checks, name, () => {
      const schema = jsonSchemaOf(document.webhooks?.[name]?.post.requestBody?.content);
      return schema === undefined ? undefined : validators.check(schema, 'lenient');
    });
}

function withoutPrefix(path: string): string {
  return path.replace(/^\/api\/v3(?=\/|$)/, '');
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
