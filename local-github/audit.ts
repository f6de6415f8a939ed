/** One request that came in, with what was answered. */
export interface RequestRecord {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Operation id such as `issues/create`, or undefined for git and for unknown paths. */
  readonly operation: string | undefined;
  /** Login, `app` for the App itself, `anonymous`. */
  readonly actor: string;
  readonly actorKind: 'app' | 'installation' | 'user' | undefined;
  readonly body: unknown;
  readonly responseBody: unknown;
  readonly contentType: string | undefined;
  /** 0 when the reply was cut off. */
  readonly status: number;
}

/** One ref's move, with who did it. */
export interface RefUpdateRecord {
  readonly at: string;
  readonly repository: string;
  readonly ref: string;
  readonly before: string;
  readonly after: string;
  readonly actor: string;
  readonly via: 'git' | 'rest';
}

/** What happened, for tests that ask afterwards. The newest 10,000 of each are kept. */
export interface Audit {
  readonly requests: RequestRecord[];
  readonly refUpdates: RefUpdateRecord[];
  request(record: RequestRecord): void;
  refUpdate(record: RefUpdateRecord): void;
}

const KEPT = 10_000;

/** An empty audit. */
export function createAudit(): Audit {
  const requests: RequestRecord[] = [];
  const refUpdates: RefUpdateRecord[] = [];
  return {
    requests,
    refUpdates,
    request: (record) => keep(requests, record),
    refUpdate: (record) => keep(refUpdates, record),
  };
}

function keep<Item>(list: Item[], item: Item): void {
  list.push(item);
  if (list.length > KEPT) list.shift();
}
