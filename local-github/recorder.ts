import type { Hub } from './hub.ts';

/** One REST request and its answer. */
interface RecordedExchange {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly requestBody: unknown;
  /** 0 when the connection was cut before an answer. */
  readonly status: number;
  readonly responseBody: unknown;
  readonly contentType: string | undefined;
  readonly actor: 'app' | 'installation' | 'user' | undefined;
}

/** What the server remembers of its traffic, oldest first. */
export interface Recorder {
  exchanges(): readonly RecordedExchange[];
  deliveries(): readonly { readonly event: string; readonly payload: unknown }[];
}

/** The traffic with GitHub's operations: not git, not control, not answers that a fault made up. */
export function createRecorder(hub: Pick<Hub, 'audit' | 'world'>): Recorder {
  return {
    exchanges: () =>
      hub.audit.requests
        .filter((request) => request.operation !== undefined && request.operation !== 'graphql')
        .map((request) => ({
          method: request.method,
          path: request.path,
          query: Object.fromEntries(new URLSearchParams(request.query)),
          requestBody: request.body,
          status: request.status,
          responseBody: request.responseBody,
          contentType: request.contentType,
          actor: request.actorKind,
        })),
    deliveries: () => hub.world.deliveries.map(({ event, request }) => ({ event, payload: request.payload })),
  };
}
