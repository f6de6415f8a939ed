import type { Place } from './client.ts';

/** GitHub Enterprise Server serves its REST API below this path, and pages and git at the root of the same host. */
const ENTERPRISE_PATH = /\/api\/v3\/?$/u;

/**
 * Where a repository's pages are, derived from the address of the REST API: `https://api.github.com` belongs to
 * `https://github.com`, `https://HOST/api/v3` to `https://HOST`. `https://api.SUBDOMAIN.ghe.com` follows the first rule.
 */
export function webUrl(baseUrl: string, at: Place): string {
  const url = new URL(baseUrl);
  const host = ENTERPRISE_PATH.test(url.pathname) ? url.host : url.host.replace(/^api\./u, '');
  return `${url.protocol}//${host}/${at.owner}/${at.repo}`;
}

/** Where git fetches a repository from and pushes it to. */
export function gitUrl(baseUrl: string, at: Place): string {
  return `${webUrl(baseUrl, at)}.git`;
}
