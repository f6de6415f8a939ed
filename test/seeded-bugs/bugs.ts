/** A mistake that would break a promise, as it might be made, and the tests that are there to notice it. */
export interface SeededBug {
  readonly name: string;
  /** The promise it breaks. */
  readonly promise: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  readonly caughtBy: {
    readonly project: 'unit' | 'integration' | 'e2e';
    readonly files: readonly string[];
    /** Only tests whose full name holds this, to save time. */
    readonly named?: string;
  };
}

/**
 * One for each class of mistake that systems like this one are known for. Where the design leaves no room for the mistake as it is usually
 * made, its nearest relative stands here: we unpack no archive, so what must not be skipped is the check of what a link points to.
 */
export const SEEDED_BUGS: readonly SeededBug[] = [
  {
    name: 'a push without a lease on where the branch was',
    promise: 'P8',
    file: 'src/git/remote.ts',
    find: "--force-with-lease=${ref}:${push.expected ?? ''}",
    replace: '--force',
    caughtBy: {
      project: 'e2e',
      files: ['test/e2e/bad-world.test.ts'],
      named: "keeps what a person pushed to the run's branch",
    },
  },
  {
    name: 'a request that changes something is repeated blindly',
    promise: 'P2',
    file: 'src/forge/github/client.ts',
    find: "(request) => once(repository, 'api', full, request)",
    replace: "(request) => send(repository, 'api', full, request)",
    caughtBy: {
      project: 'integration',
      files: ['test/contracts/forge.contract.test.ts'],
      named: 'a reply that is lost after the effect',
    },
  },
  {
    name: 'a request is known by its delivery alone',
    promise: 'P2',
    file: 'src/domain/ids.ts',
    find: 'digest(naturalKey, 15)',
    replace: 'digest(`${naturalKey} ${Math.random()}`, 15)',
    caughtBy: { project: 'unit', files: ['test/app/label.test.ts'], named: 'the same request again' },
  },
  {
    name: 'a delivery is acknowledged before it is saved',
    promise: 'P1',
    file: 'src/app/http.ts',
    find: 'return await save(deps, { guid, event, body });',
    replace:
      "void save(deps, { guid, event, body }).catch(() => undefined);\n        return { status: 202, text: 'saved' };",
    caughtBy: {
      project: 'unit',
      files: ['test/app/front-door.test.ts'],
      named: 'is not acknowledged when it can not be saved',
    },
  },
  {
    name: 'the reaper does not look at the epoch',
    promise: 'P5',
    file: 'src/runners/docker/reaper.ts',
    find: 'keep(owner)',
    replace: 'keep({ ...owner, epoch: Number.MAX_SAFE_INTEGER })',
    caughtBy: {
      project: 'integration',
      files: ['test/contracts/runner.contract.test.ts'],
      named: 'reaps what nobody vouches for',
    },
  },
  {
    name: '< for ≤: what is due this very moment is passed over',
    promise: 'P1',
    file: 'src/store/inbox.ts',
    find: 'retry_at <= $1 ${',
    replace: 'retry_at < $1 ${',
    caughtBy: {
      project: 'integration',
      files: ['test/contracts/store.contract.test.ts'],
      named: 'holds a failed delivery back until its time',
    },
  },
  {
    name: 'when GitHub does not tell the role, it is taken to be enough',
    promise: 'P9',
    file: 'src/app/permission.ts',
    find: 'await deps.forge.role(repository, sender.login)',
    replace: "await deps.forge.role(repository, sender.login).catch(() => 'write' as const)",
    caughtBy: { project: 'unit', files: ['test/app/label.test.ts', 'test/app/permission-matrix.test.ts'] },
  },
  {
    name: 'an allowed name may resolve to a private address',
    promise: 'P7',
    file: 'src/gateway/tunnel.ts',
    find: '!addresses.every(isPublicAddress)',
    replace: 'addresses.some((address) => isPublicAddress(address) && false)',
    caughtBy: { project: 'unit', files: ['test/gateway/tunnel.test.ts'], named: 'to an allowed name that resolves to' },
  },
  {
    name: 'secrets are taken out only where they stand as they are',
    promise: 'P13',
    file: 'src/forge/redact.ts',
    find: 'for (const form of formsOf(secret))',
    replace: 'for (const form of [...formsOf(secret)].slice(0, 1))',
    caughtBy: { project: 'unit', files: ['test/forge/parts.test.ts'], named: 'redaction' },
  },
  {
    name: 'a link out of the repository is committed',
    promise: 'P12',
    file: 'src/domain/policy.ts',
    find: 'return !at.some(looksLikeDotGit);',
    replace: 'return true;',
    caughtBy: { project: 'unit', files: ['test/domain/policy.test.ts'] },
  },
  {
    name: 'a container may swap what it may not hold in memory',
    promise: 'P14',
    file: 'src/runners/docker/host-config.ts',
    find: 'MemorySwap: limits.memoryBytes,',
    replace: 'MemorySwap: -1,',
    caughtBy: { project: 'unit', files: ['test/runners/docker/host-config.test.ts'] },
  },
  {
    name: 'saving what was done ends with the run it belongs to',
    promise: 'P3',
    file: 'src/workers/stages/capture.ts',
    find: 'signal: scope.saving,',
    replace: 'signal: scope.signal,',
    caughtBy: {
      project: 'e2e',
      files: ['test/e2e/commands.test.ts'],
      named: 'stops a run within seconds, and what was done so far is kept',
    },
  },
];
