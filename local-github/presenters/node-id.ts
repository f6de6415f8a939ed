const KINDS = {
  activity: 'PSH',
  app: 'A',
  blob: 'B',
  bot: 'BOT',
  checkRun: 'CR',
  comment: 'IC',
  commit: 'C',
  installation: 'IN',
  issue: 'I',
  issueEvent: 'LE',
  label: 'LA',
  organization: 'O',
  pull: 'PR',
  reaction: 'REA',
  ref: 'REF',
  repository: 'R',
  review: 'PRR',
  user: 'U',
} as const;

/** GraphQL's opaque id for a thing: a prefix for its kind, then its key. */
export function nodeId(kind: keyof typeof KINDS, key: string | number): string {
  return `${KINDS[kind]}_${Buffer.from(String(key)).toString('base64url')}`;
}

/** The key inside a node id of that kind; undefined when it is no such id. */
export function keyOfNodeId(kind: keyof typeof KINDS, id: string): string | undefined {
  const prefix = `${KINDS[kind]}_`;
  return id.startsWith(prefix) ? Buffer.from(id.slice(prefix.length), 'base64url').toString('utf8') : undefined;
}
