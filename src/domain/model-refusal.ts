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
