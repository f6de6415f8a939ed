import type { Route } from './routes.ts';

/** A route that fits a path, with the path's parameters decoded. */
export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds routes by method and path. Parameters arrive percent-decoded, so `%2F` inside one is a slash. */
export interface Router {
  find(method: string, path: string): Match | undefined;
  /** Whether another method would do. */
  knows(path: string): boolean;
}

interface Compiled {
  readonly route: Route;
  readonly segments: readonly string[];
}

/** A router over all routes; of two that fit, the one with more literal segments wins. */
export function createRouter(routes: readonly Route[]): Router {
  const compiled = routes
    .map((route) => ({ route, segments: route.path.split('/').slice(1) }))
    .sort((one, other) => literals(other) - literals(one));

  function find(accepts: (route: Route) => boolean, path: string): Match | undefined {
    const parts = path.replace(/\/$/, '').split('/').slice(1);
    for (const candidate of compiled) {
      if (!accepts(candidate.route)) continue;
      const params = fit(candidate, parts);
      if (params !== undefined) return { route: candidate.route, params };
    }
    return undefined;
  }

  return {
    find: (method, path) => find((route) => route.method === method, path),
    knows: (path) => find(() => true, path) !== undefined,
  };
}

function literals(compiled: Compiled): number {
  return compiled.segments.filter((segment) => !segment.startsWith('{')).length;
}

function fit(compiled: Compiled, parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, segment] of compiled.segments.entries()) {
    const part = parts[index];
    if (segment.endsWith('+}')) {
      const rest = parts.slice(index).map(decode).join('/');
      if (rest === '' && !segment.startsWith('{path')) return undefined;
      params[segment.slice(1, -2)] = rest;
      return params;
    }
    if (part === undefined) return undefined;
    if (segment.startsWith('{')) {
      if (part === '') return undefined;
      params[segment.slice(1, -1)] = decode(part);
    } else if (segment !== part) {
      return undefined;
    }
  }
  return parts.length === compiled.segments.length ? params : undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
