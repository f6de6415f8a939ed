import type { Call, Reply } from './routes.ts';

const MOST = 100;
const USUAL = 30;

/** Which part of a list the caller wants: `page` from 1, at most 100 a page, 30 unless told. */
export function pageOf(query: URLSearchParams): { readonly page: number; readonly perPage: number } {
  const perPage = Math.trunc(Number(query.get('per_page') ?? USUAL));
  const page = Math.trunc(Number(query.get('page') ?? 1));
  return {
    perPage: Number.isFinite(perPage) && perPage > 0 ? Math.min(perPage, MOST) : USUAL,
    page: Number.isFinite(page) && page > 0 ? page : 1,
  };
}

/** One page of `items` as a reply with a `Link` header. `wrap` puts the page into an envelope, given the total. */
export function paginate<Item>(
  call: Call,
  items: readonly Item[],
  present: (item: Item) => unknown,
  wrap: (page: unknown[], total: number) => unknown = (page) => page,
): Reply {
  const { page, perPage } = pageOf(call.query);
  const start = (page - 1) * perPage;
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const body = wrap(items.slice(start, start + perPage).map(present), items.length);
  const link = linkHeader(call, page, last);
  return { status: 200, body, ...(link === '' ? {} : { headers: { link } }) };
}

function linkHeader(call: Call, page: number, last: number): string {
  const parts = [
    page > 1 ? linkTo(call, page - 1, 'prev') : undefined,
    page < last ? linkTo(call, page + 1, 'next') : undefined,
    page < last ? linkTo(call, last, 'last') : undefined,
    page > 1 ? linkTo(call, 1, 'first') : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

function linkTo(call: Call, page: number, relation: string): string {
  const query = new URLSearchParams(call.query);
  query.set('page', String(page));
  return `<${call.address}?${query.toString()}>; rel="${relation}"`;
}
