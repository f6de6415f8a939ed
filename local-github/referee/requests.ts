import { jsonSchemaOf } from './document.ts';
import type { Match, Operation } from './operations.ts';
import type { RestRules } from './rest-rules.ts';
import { isAbsent, isRecord, judge, type Violation } from './verdict.ts';

/** Who calls: the App itself (JWT), the App on an installation (installation token), or a person. */
export type Actor = 'app' | 'installation' | 'user';

export interface RestRequest {
  readonly method: string;
  /** Without query; with or without GitHub Enterprise's `/api/v3` before it; parameters percent-encoded or not. */
  readonly path: string;
  readonly query?: Query | undefined;
  /** Parsed JSON; undefined, null and '' all mean that there was none. */
  readonly body?: unknown;
  readonly actor: Actor;
}

/** As text (`a=1&b=2`, with or without `?`), or by name. */
export type Query = string | Readonly<Record<string, string | readonly string[]>>;

/** Judges a request to an operation that was found: who asks, path, query and body. */
export function judgeRequest(
  rules: RestRules,
  request: RestRequest & { readonly match: Match; readonly where: string },
): readonly Violation[] {
  const { operation, values } = request.match;
  const { where } = request;
  const refused = whyRefused(operation, request.actor);
  return [
    ...(refused === undefined ? [] : [{ where, message: refused }]),
    ...judge({
      check: rules.parameters(operation, 'path'),
      subject: operation.id,
      value: { ...values },
      where: `${where}, path`,
    }),
    ...judge({
      check: rules.parameters(operation, 'query'),
      subject: operation.id,
      value: queryValues(request.query),
      where: `${where}, query`,
    }),
    ...judgeRequestBody(rules, { operation, body: request.body, where: `${where}, body` }),
  ];
}

function judgeRequestBody(
  rules: RestRules,
  request: { readonly operation: Operation; readonly body: unknown; readonly where: string },
): readonly Violation[] {
  const { operation, body, where } = request;
  const expected = operation.document.requestBody;
  if (isAbsent(body)) {
    return expected?.required === true ? [{ where, message: 'is missing, and GitHub requires one' }] : [];
  }
  if (expected === undefined) {
    // Clients send `{}` where they have nothing to say.
    if (isRecord(body) && Object.keys(body).length === 0) return [];
    return [{ where, message: 'is there, and GitHub expects none' }];
  }
  const schema = jsonSchemaOf(expected.content);
  if (schema === undefined) return [];
  return judge({ check: rules.body(schema, 'closed'), subject: operation.id, value: body, where });
}

/**
 * Operations below `/app` and those that look an installation up are for the App's own JWT, and no others are. GitHub's mark
 * `enabledForGitHubApps` speaks of installation tokens, and people are not bound by either.
 */
function whyRefused({ path, document }: Operation, actor: Actor): string | undefined {
  if (actor === 'user') return undefined;
  const forJwt = path === '/app' || path.startsWith('/app/') || path.endsWith('/installation');
  if (forJwt) return actor === 'app' ? undefined : "takes the App's JWT, not an installation token";
  if (actor === 'app' && /^\/(repos|installation)\//.test(path))
    return "takes an installation token, not the App's JWT";
  return document['x-github']?.enabledForGitHubApps === false ? 'is not open to GitHub Apps' : undefined;
}

function queryValues(query: Query | undefined): Record<string, string | string[]> {
  const pairs = new Map<string, string | string[]>();
  const entries =
    typeof query === 'string'
      ? [...new URLSearchParams(query)]
      : Object.entries(query ?? {}).flatMap(([name, value]) =>
          typeof value === 'string' ? [[name, value] as const] : value.map((each) => [name, each] as const),
        );
  for (const [name, value] of entries) {
    // Lists are written `name=a&name=b` or `name[]=a`.
    const plain = name.replace(/\[\]$/, '');
    const before = pairs.get(plain);
    pairs.set(plain, before === undefined ? value : [...(typeof before === 'string' ? [before] : before), value]);
  }
  return Object.fromEntries(pairs);
}
