/** One entry of a 422's `errors`. */
export interface FieldError {
  readonly resource: string;
  readonly code: string;
  readonly field?: string;
  readonly message?: string;
  readonly value?: unknown;
}

const DOCUMENTATION = 'https://docs.github.com/rest';

/** An answer that is a refusal, thrown from wherever it is found out. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly errors: readonly (FieldError | string)[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    message: string,
    options: {
      readonly errors?: readonly (FieldError | string)[];
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }

  /** The JSON body GitHub sends with such a refusal. */
  body(): Readonly<Record<string, unknown>> {
    return {
      message: this.message,
      ...(this.errors === undefined ? {} : { errors: this.errors }),
      documentation_url: DOCUMENTATION,
      status: String(this.status),
    };
  }
}

/** 404, also for what the caller may not see. */
export function notFound(message = 'Not Found'): HttpError {
  return new HttpError(404, message);
}

/** 401 for a token nobody knows. */
export function badCredentials(): HttpError {
  return new HttpError(401, 'Bad credentials');
}

/** 403 for a permission the App's token lacks. `accepted` lists what would do, as `issues=write`. */
export function notAccessible(accepted: string): HttpError {
  return new HttpError(403, 'Resource not accessible by integration', {
    headers: { 'x-accepted-github-permissions': accepted },
  });
}

/** 422 with the reasons, one per field. */
export function validationFailed(...errors: readonly (FieldError | string)[]): HttpError {
  return new HttpError(422, 'Validation Failed', { errors });
}

/** 422 with a message of its own. */
export function unprocessable(message: string): HttpError {
  return new HttpError(422, message);
}
