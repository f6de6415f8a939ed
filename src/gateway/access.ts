import type { OutgoingHttpHeaders } from 'node:http';

/** Puts the operator's credentials into requests to a model endpoint. They never leave this process but towards it. */
export interface Access {
  /** Whether requests are signed with their bodies: these are then held back until they are whole. */
  readonly needsBody: boolean;
  /**
   * The headers that authorize one request, and the secrets they are made of, so that no answer gives them back.
   *
   * @throws AccessError when credentials can't be had.
   */
  authorize(request: UnauthorizedRequest): Promise<Authorization>;
  /** Told that the endpoint did not accept what it was given: what is renewed is to be, before its time. */
  refused?(): void;
}

export interface UnauthorizedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  /** Undefined unless `needsBody`. */
  readonly body: Buffer | undefined;
}

export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** The operator's credentials could not be had. The message says why and what to do, without any secret. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
  /** Whether trying again later may help: the place that gives them could not be reached. */
  readonly isPassing: boolean;

  constructor(message: string, options: { readonly isPassing: boolean; readonly cause?: unknown }) {
    super(message, { cause: options.cause });
    this.isPassing = options.isPassing;
  }
}

/** Credentials that are the same headers for every request. */
export function fixedAccess(headers: Readonly<Record<string, string>>, secrets: readonly string[]): Access {
  const authorization = { headers, secrets };
  return { needsBody: false, authorize: async () => authorization };
}
