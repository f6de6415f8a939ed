/** A host that sessions may reach, and which sessions. */
export interface EgressRule {
  /** An exact name, or `*.suffix` for all below it. */
  readonly host: string;
  /** All sessions, those of a provider, or those of a repository: `owner/name` or `owner/*`, in lower case. */
  readonly scope:
    | { readonly kind: 'all' }
    | { readonly kind: 'provider'; readonly provider: string }
    | { readonly kind: 'repository'; readonly repository: string };
}

/** What a session's allow-list is made from. */
export interface EgressOf {
  readonly provider: string;
  readonly repository: { readonly owner: string; readonly name: string };
  /** The hosts the playbook names; undefined when it leaves it to the operator. */
  readonly asked: readonly string[] | undefined;
  /** Hosts a playbook may add to what the operator allows anyway, as patterns. */
  readonly mayAdd: readonly string[];
}

const HOST = /^(?:\*\.)?[a-z\d](?:[a-z\d.-]*[a-z\d])?$/i;

/**
 * One entry of the operator's list: `host`, `provider=host`, `owner/name=host` or `owner/*=host`. Undefined for what is none.
 */
export function parseEgressRule(entry: string): EgressRule | undefined {
  const [first = '', second, ...more] = entry.split('=').map((part) => part.trim());
  const host = (second ?? first).toLowerCase();
  if (more.length > 0 || !HOST.test(host)) return undefined;
  if (second === undefined) return { host, scope: { kind: 'all' } };
  const scope = first.toLowerCase();
  if (/^[\w.-]+\/(?:[\w.-]+|\*)$/.test(scope)) return { host, scope: { kind: 'repository', repository: scope } };
  return /^[a-z\d][a-z\d-]*$/.test(scope) ? { host, scope: { kind: 'provider', provider: scope } } : undefined;
}

/**
 * The hosts a session may reach beside its model. A playbook narrows what the operator allows; it adds only what the operator lets
 * playbooks add.
 */
export function sessionHosts(rules: readonly EgressRule[], of: EgressOf): readonly string[] {
  const allowed = rules.filter(({ scope }) => isFor(scope, of)).map(({ host }) => host);
  if (of.asked === undefined) return [...new Set(allowed)];
  const asked = of.asked.map((host) => host.toLowerCase());
  const granted = asked.filter((host) => [...allowed, ...of.mayAdd].some((pattern) => covers(pattern, host)));
  const narrower = allowed.filter((host) => asked.some((pattern) => covers(pattern, host)));
  return [...new Set([...granted, ...narrower])];
}

function isFor(scope: EgressRule['scope'], { provider, repository }: EgressOf): boolean {
  switch (scope.kind) {
    case 'all':
      return true;
    case 'provider':
      return scope.provider === provider;
    case 'repository': {
      const owner = repository.owner.toLowerCase();
      return scope.repository === `${owner}/*` || scope.repository === `${owner}/${repository.name.toLowerCase()}`;
    }
  }
}

/** Whether everything that `host` matches, an exact name or a `*.suffix`, is matched by `pattern` too. */
function covers(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  return pattern.startsWith('*.') && host.replace(/^\*/, '').endsWith(pattern.slice(1)) && host !== pattern.slice(2);
}
