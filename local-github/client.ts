/** A person with a token, and a way to call REST as them. */
export interface LocalUser {
  readonly id: number;
  readonly login: string;
  readonly token: string;
  /** `request('POST /repos/acme/demo/issues', { title: 'x' })`. Any status resolves; look at it. */
  request(request: string, body?: unknown): Promise<LocalReply>;
  /** The same, but rejects unless the status is 2xx; resolves to the body, of the type the caller says it has. */
  call<Data>(request: string, body?: unknown): Promise<Data>;
}

interface LocalReply {
  readonly status: number;
  readonly headers: Headers;
  readonly data: unknown;
}

/** A user's client against the REST address `apiUrl`. */
export function createUserClient(apiUrl: string, user: Pick<LocalUser, 'id' | 'login' | 'token'>): LocalUser {
  async function request(line: string, body?: unknown): Promise<LocalReply> {
    const [method = 'GET', path = '/'] = line.split(' ', 2);
    const response = await fetch(apiUrl + path, {
      method,
      headers: { authorization: `Bearer ${user.token}`, accept: 'application/vnd.github+json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = (response.headers.get('content-type') ?? '').includes('json') && text !== '';
    return { status: response.status, headers: response.headers, data: json ? JSON.parse(text) : text };
  }

  return {
    ...user,
    request,
    async call<Data>(line: string, body?: unknown): Promise<Data> {
      const reply = await request(line, body);
      if (reply.status >= 300) {
        throw new Error(`${line} as ${user.login} was answered ${reply.status}: ${JSON.stringify(reply.data)}`);
      }
      return reply.data as Data;
    },
  };
}
