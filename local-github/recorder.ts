import type { Hub } from './hub.ts';
import type { Journal } from './journal.ts';

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

/** The traffic, with totals to look on from. `since` throws when some of what is asked for is not kept any more. */
export interface Recorder {
  readonly exchanges: Pick<Journal<RecordedExchange>, 'total' | 'since'>;
  readonly deliveries: Pick<Journal<RecordedDelivery>, 'total' | 'since'>;
}

interface RecordedDelivery {
  readonly event: string;
  readonly payload: unknown;
}

/** The traffic with GitHub's operations: not git, not control, not answers that a fault made up. */
export function createRecorder({ audit }: Pick<Hub, 'audit'>): Recorder {
  return {
    exchanges: {
      total: audit.requests.total,
      since: (total) =>
        audit.requests
          .since(total)
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
    },
    deliveries: {
      total: audit.deliveries.total,
      since: (total) =>
        audit.deliveries.since(total).map(({ event, request }) => ({ event, payload: request.payload })),
    },
  };
}
