/** That the model endpoint did not answer a request, as the gateway saw it on the wire. Times are epoch milliseconds. */
export interface ModelRefusal {
  /** HTTP status; undefined when the endpoint could not be reached or broke off in the middle of an answer. */
  readonly status: number | undefined;
  /** The endpoint's own word for it, such as `insufficient_quota`; undefined when it gave none. */
  readonly code: string | undefined;
  readonly at: number;
  /** When the endpoint said to come back. */
  readonly resetAt: number | undefined;
}

/** From this wait on, in milliseconds, a limit is a quota to wait out rather than a moment's crowding. */
const QUOTA_MS = 60_000;

/** Words of OpenAI's errors for an account without money. https://platform.openai.com/docs/guides/error-codes */
const NO_CREDIT = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active', 'billing_error']);

/** Whether the endpoint said that there is no money behind the key. */
export function isEmptyAccount({ status, code }: ModelRefusal): boolean {
  return status === 402 || NO_CREDIT.has(code ?? '');
}

/** Whether the endpoint said to come back at a time that is far enough away to be told. */
export function isLongWait({ at, resetAt }: ModelRefusal): boolean {
  return resetAt !== undefined && resetAt - at >= QUOTA_MS;
}
