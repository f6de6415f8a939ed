import type { Clock } from '../../domain/clock.ts';
import { ForgeError } from '../forge.ts';

/** Documented wait after a secondary limit that names none: "at least one minute". */
const SECONDARY_LIMIT_MS = 60_000;

/** What octokit's errors hold that we use. Its error classes aren't ours to import, so they are read by shape. */
export interface HttpProblem {
  /** 0 when no usable answer came: time-out, reset, cut reply. */
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
}

/** Reads whatever octokit threw. */
export function httpProblem(error: unknown): HttpProblem {
  if (!(error instanceof Error)) return { status: 0, message: 'no answer', headers: {} };
  const response: unknown = 'response' in error ? error.response : undefined;
  if (error.name === 'GraphqlResponseError') return graphqlProblem(error);
  if (!('status' in error) || typeof error.status !== 'number' || typeof response !== 'object' || response === null) {
    return { status: 0, message: error.message, headers: {} };
  }
  const headers = 'headers' in response ? (response.headers as HttpProblem['headers']) : {};
  return { status: error.status, message: error.message, headers };
}

/** GraphQL answers 200 and says what went wrong in words of its own; these are the REST statuses they amount to. */
const GRAPHQL_STATUS: Readonly<Record<string, number>> = {
  NOT_FOUND: 404,
  FORBIDDEN: 403,
  INSUFFICIENT_SCOPES: 403,
  RATE_LIMITED: 429,
};

function graphqlProblem(error: Error): HttpProblem {
  const [first] =
    'errors' in error && Array.isArray(error.errors) ? (error.errors as { readonly type?: string }[]) : [];
  const headers = 'headers' in error ? (error.headers as HttpProblem['headers']) : {};
  return { status: GRAPHQL_STATUS[first?.type ?? ''] ?? 422, message: error.message, headers };
}

/** Our word for GitHub's refusal of `what` (verb and thing, e.g. `comment on octo/demo#3`). Holds nothing of the request. */
export function forgeError(problem: HttpProblem, what: string, clock: Clock): ForgeError {
  const { status } = problem;
  const message = problem.message.split(' - https://')[0] ?? '';
  const cause = new Error(`HTTP ${status}: ${message}`);
  const retryAt = limitEnd(problem, clock);
  if (retryAt !== undefined) {
    const until = new Date(retryAt).toISOString();
    return new ForgeError('limited', `could not ${what}: GitHub limits our requests until ${until}`, {
      cause,
      retryAt,
    });
  }
  const isEmpty = status === 409 && /repository is empty/iu.test(message);
  if (status === 404 || status === 410 || (status >= 300 && status < 400) || isEmpty) {
    return new ForgeError('gone', `could not ${what}: GitHub has no such thing, or we may not see it`, { cause });
  }
  if (status === 401) return new ForgeError('denied', `could not ${what}: GitHub does not accept our token`, { cause });
  if (status === 403) return new ForgeError('denied', `could not ${what}: GitHub forbids it (${message})`, { cause });
  if (status === 0 || status >= 500) {
    const answer = status === 0 ? `no usable answer from GitHub (${message})` : `GitHub answered ${status}`;
    return new ForgeError('unavailable', `could not ${what}: ${answer}`, { cause });
  }
  return new ForgeError('invalid', `could not ${what}: GitHub answered ${status} (${message})`, { cause });
}

/** When a limited request may be made again, in our clock's epoch milliseconds; undefined when the refusal is no limit. */
function limitEnd({ status, message, headers }: HttpProblem, clock: Clock): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const after = Number(headers['retry-after'] ?? Number.NaN);
  if (Number.isFinite(after)) return clock.now() + Math.max(1, after) * 1000;
  if (String(headers['x-ratelimit-remaining']) === '0') {
    const reset = inOurTime(Number(headers['x-ratelimit-reset']) * 1000, headers, clock);
    return Number.isFinite(reset) ? Math.max(reset, clock.now() + 1000) : clock.now() + SECONDARY_LIMIT_MS;
  }
  return status === 429 || /secondary rate limit/iu.test(message) ? clock.now() + SECONDARY_LIMIT_MS : undefined;
}

/** A moment on GitHub's clock, as of the reply's `Date`, in the time of ours, which may be wrong by minutes (faults F27). */
export function inOurTime(moment: number, headers: HttpProblem['headers'], clock: Clock): number {
  const theirNow = Date.parse(String(headers['date'] ?? ''));
  return Number.isNaN(theirNow) ? moment : clock.now() + (moment - theirNow);
}
