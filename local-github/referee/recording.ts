import type { Journal } from '../journal.ts';
import type { Referee } from './referee.ts';
import type { Actor, Query } from './requests.ts';
import type { Violation } from './verdict.ts';

/** One REST request and its answer, as an HTTP server saw them. */
export interface Exchange {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly query?: Query | undefined;
  readonly requestBody?: unknown;
  /** 0 when the connection was cut before an answer. */
  readonly status: number;
  readonly responseBody?: unknown;
  readonly contentType?: string | undefined;
  /** Undefined when nobody proved who they are; then only the shape of the request is judged. */
  readonly actor?: Actor | undefined;
}

/** One webhook that was sent. */
export interface SentWebhook {
  readonly event: string;
  readonly payload: unknown;
}

/** What a local GitHub remembers. */
export interface Recorder {
  readonly exchanges: Remembered<Exchange>;
  readonly deliveries: Remembered<SentWebhook>;
}

type Remembered<Item> = Pick<Journal<Item>, 'total' | 'since'>;

export interface AttachedReferee {
  /** What is wrong with all that was recorded since the last time this was asked. */
  violations(): readonly Violation[];
  /**
   * For the end of a test.
   *
   * @throws Error that lists every violation since the last time this or `violations` was called.
   */
  assertNone(): void;
}

/** What a local GitHub serves beside REST: GraphQL, git, its own control. */
const NOT_REST = /^(\/api)?\/graphql$|^\/[^/]+\/[^/]+\.git(\/|$)|^\/_control(\/|$)/;

/**
 * Judges everything a local GitHub recorded: requests, answers unless they were cut off, and webhooks.
 *
 * @param options `expected` names exchanges that are wrong on purpose, e.g. in tests of the local GitHub's refusals.
 */
export function attachReferee(
  recorder: Recorder,
  referee: Referee,
  options: { readonly expected?: (exchange: Exchange) => boolean } = {},
): AttachedReferee {
  const newExchanges = onlyNew(recorder.exchanges);
  const newDeliveries = onlyNew(recorder.deliveries);
  const violations = (): readonly Violation[] => {
    return [
      ...newExchanges()
        .filter((exchange) => !NOT_REST.test(exchange.path) && options.expected?.(exchange) !== true)
        .flatMap((exchange) => judgeExchange(referee, exchange)),
      ...newDeliveries().flatMap((delivery) => referee.checkWebhook(delivery)),
    ];
  };
  return {
    violations,
    assertNone() {
      const found = violations();
      if (found.length === 0) return;
      const lines = found.map(({ where, message }) => `  ${where}: ${message}`);
      throw new Error(`GitHub's schemas say no, ${found.length} times:\n${lines.join('\n')}`);
    },
  };
}

/** What came since the last call. */
function onlyNew<Item>(remembered: Remembered<Item>): () => readonly Item[] {
  let seen = 0;
  return () => {
    const items = remembered.since(seen);
    seen = remembered.total();
    return items;
  };
}

function judgeExchange(referee: Referee, exchange: Exchange): readonly Violation[] {
  const { method, path, query, status, contentType } = exchange;
  const request = { method, path, query, body: exchange.requestBody, actor: exchange.actor ?? 'user' };
  return [
    ...referee.checkRequest(request),
    ...(status === 0 ? [] : referee.checkResponse({ method, path, status, contentType, body: exchange.responseBody })),
  ];
}
