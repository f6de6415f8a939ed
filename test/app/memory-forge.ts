import { createHash } from 'node:crypto';
import type { Actor, Repository } from '../../src/domain/repository.ts';
import {
  ForgeError,
  type CheckRequest,
  type FileEntry,
  type Forge,
  type IssueState,
  type PullRequestState,
  type Role,
} from '../../src/forge/forge.ts';

/** The part of GitHub the app's handlers use, in memory, with what was said there. For tests of decisions. */
export interface MemoryForge {
  readonly forge: Forge;
  readonly roles: Map<string, Role | ForgeError>;
  /** Files by commit, then by path. */
  readonly commits: Map<string, Readonly<Record<string, string>>>;
  readonly branches: Map<string, string>;
  readonly issues: Map<number, IssueState>;
  /** Comments as `thread: key` to body. */
  readonly comments: Map<string, string>;
  readonly reactions: string[];
  /** Pull requests of ours by branch. */
  readonly pulls: Map<string, PullRequestState>;
  readonly stateLabels: Map<number, string | undefined>;
  readonly checks: CheckRequest[];
  /** The owner's repository `.github`, if the App may read it. */
  readonly dotGithub: Repository[];
  /** Errors the next calls of a verb fail with, first in first out. */
  readonly failures: Partial<Record<keyof Forge, Error[]>>;
}

export const SELF: Actor = { id: 1000, login: 'maestro[bot]' };

export function createMemoryForge(): MemoryForge {
  const world: Omit<MemoryForge, 'forge'> = {
    roles: new Map(),
    commits: new Map(),
    branches: new Map(),
    issues: new Map(),
    comments: new Map(),
    reactions: [],
    pulls: new Map(),
    stateLabels: new Map(),
    checks: [],
    dotGithub: [],
    failures: {},
  };

  function filesAt(sha: string): Readonly<Record<string, string>> {
    const files = world.commits.get(sha);
    if (files === undefined) throw new ForgeError('gone', `no commit ${sha}`);
    return files;
  }

  const verbs: Partial<Forge> = {
    self: async () => SELF,
    role: async (_repository, login) => {
      const role = world.roles.get(login) ?? 'none';
      if (role instanceof ForgeError) throw role;
      return role;
    },
    size: async () => 0,
    findPullRequest: async (_repository, branch) => world.pulls.get(branch),
    branchHead: async (_repository, branch) => world.branches.get(branch),
    readFile: async (_repository, path, sha) => {
      const text = filesAt(sha)[path];
      if (text?.includes('\u{fffd}')) throw new ForgeError('invalid', `${path} is not UTF-8`);
      return text === undefined ? undefined : { text, blob: blobOf(text) };
    },
    listFiles: async (_repository, directory, sha) =>
      Object.entries(filesAt(sha))
        .filter(([path]) => path.startsWith(`${directory}/`))
        .map(([path, text]): FileEntry => ({ path, blob: blobOf(text), size: text.length })),
    dotGithub: async () => world.dotGithub[0],
    issue: async (_repository, number) => world.issues.get(number),
    ensureComment: async (_repository, thread, key, body) => {
      world.comments.set(`${thread}: ${key}`, body);
      return world.comments.size;
    },
    ensureCheck: async (_repository, check) => void world.checks.push(check),
    setStateLabel: async (_repository, number, label) => void world.stateLabels.set(number, label),
    react: async (_repository, target, content) => {
      world.reactions.push(`${content} on ${target.kind} ${target.kind === 'issue' ? target.number : target.id}`);
    },
  };

  const forge = new Proxy(verbs, {
    get: (target, verb: keyof Forge) => {
      // The one that answers at once.
      if (verb === 'writeRoom') return () => 1;
      if (verb === 'webUrl')
        return (repository: Repository) => `https://forge.test/${repository.owner}/${repository.name}`;
      const call = target[verb] as ((...args: readonly unknown[]) => Promise<unknown>) | undefined;
      return async (...args: readonly unknown[]) => {
        const failure = world.failures[verb]?.shift();
        if (failure !== undefined) throw failure;
        if (call === undefined) throw new Error(`the app is not supposed to call ${verb}`);
        return await call(...args);
      };
    },
  }) as Forge;
  return { ...world, forge };
}

export function blobOf(text: string): string {
  return createHash('sha1')
    .update(`blob ${Buffer.byteLength(text)}\0${text}`)
    .digest('hex');
}
