/** Number of the last page a `Link` header names; 1 when there is no other page. */
export function lastPage(link: string | undefined): number {
  const url = /<([^>]+)>;\s*rel="last"/u.exec(link ?? '')?.[1];
  return url === undefined ? 1 : Number(new URL(url).searchParams.get('page') ?? 1);
}

/** Whether a `Link` header names a next page. */
export function hasNext(link: string | undefined): boolean {
  return /rel="next"/u.test(link ?? '');
}
