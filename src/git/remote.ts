import { simpleGit, type SimpleGit } from 'simple-git';
import { around } from '../telemetry/failpoint.ts';
import { gitEnvironment, type RemoteAccess } from './environment.ts';

/** The branch on GitHub is not where we left it: somebody moved, deleted or made it. Theirs is kept. */
export class BranchMovedError extends Error {
  override readonly name = 'BranchMovedError';
  /** Where it is now; undefined when it is gone. */
  readonly actual: string | undefined;
  constructor(branch: string, expected: string | undefined, actual: string | undefined) {
    super(
      `branch ${branch} was expected ${expected === undefined ? 'not to exist' : `at ${expected.slice(0, 10)}`} and is ${actual === undefined ? 'gone' : `at ${actual.slice(0, 10)}`}`,
    );
    this.actual = actual;
  }
}

/** GitHub took the connection and refused the push: a protected branch, a rule, a file too large. `message` is what it said. */
export class PushRefusedError extends Error {
  override readonly name = 'PushRefusedError';
}

/** The remote could not be reached, or broke off: worth a retry for as long as it takes. */
export class RemoteAwayError extends Error {
  override readonly name = 'RemoteAwayError';
}

/** What git says when the remote did answer, and what it answered will be the same next time. */
const ANSWERED =
  /rejected\]|couldn't find remote ref|not our ref|no such ref|repository not found|authentication failed|could not read username|returned error: 4\d\d/i;

async function ask(gitDir: string, access: RemoteAccess, args: readonly string[]): Promise<string> {
  try {
    return await remote(gitDir, access).raw([...args]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (ANSWERED.test(message)) throw error;
    throw new RemoteAwayError(`git ${args[0] ?? ''} did not get through: ${message}`, { cause: error });
  }
}

/** Network verbs in a bare repository of ours. A silent remote is given up after two minutes. */
function remote(gitDir: string, access: RemoteAccess): SimpleGit {
  const env = gitEnvironment(access);
  return simpleGit({
    baseDir: gitDir,
    timeout: { block: 120_000 },
    // The environment is ours from the first variable to the last, so nothing in it is to be guarded against.
    allowEnvironment: Object.keys(env),
    unsafe: {
      allowUnsafeConfigEnvCount: true,
      allowUnsafeHooksPath: true,
      allowUnsafeConfigPaths: true,
      allowUnsafeFsMonitor: true,
      allowUnsafeCredentialHelper: true,
      allowUnsafeProtocolOverride: true,
    },
  }).env(env);
}

/** Fetches refspecs, and no tags. */
export async function fetchRefs(gitDir: string, access: RemoteAccess, refspecs: readonly string[]): Promise<void> {
  const command = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', access.url, ...refspecs];
  await around('fetch', { perform: async () => await ask(gitDir, access, command) });
}

/** Where a branch is on the remote; undefined when it does not exist. */
export async function remoteHead(gitDir: string, access: RemoteAccess, branch: string): Promise<string | undefined> {
  const ref = `refs/heads/${branch}`;
  const listing = await ask(gitDir, access, ['ls-remote', '--quiet', '--', access.url, ref]);
  for (const line of listing.split('\n')) {
    const [oid, name] = line.split('\t');
    if (name === ref && oid !== undefined) return oid;
  }
  return undefined;
}

export interface Push {
  readonly branch: string;
  readonly commit: string;
  /** Where the branch must be for the push to happen; undefined: it must not exist. */
  readonly expected: string | undefined;
}

/**
 * Pushes one commit to one branch, with a lease on where it is. A branch that is already at the commit is fine: an earlier push
 * whose answer was lost. Throws `BranchMovedError`, `PushRefusedError` or, worth a retry, `RemoteAwayError`.
 */
export async function pushBranch(gitDir: string, access: RemoteAccess, push: Push): Promise<void> {
  const ref = `refs/heads/${push.branch}`;
  const lease = `--force-with-lease=${ref}:${push.expected ?? ''}`;
  try {
    await ask(gitDir, access, [
      'push',
      '--quiet',
      '--porcelain',
      '--no-verify',
      lease,
      '--',
      access.url,
      `${push.commit}:${ref}`,
    ]);
  } catch (error) {
    const actual = await remoteHead(gitDir, access, push.branch);
    if (actual === push.commit) return;
    if (actual !== push.expected) throw new BranchMovedError(push.branch, push.expected, actual);
    const message = error instanceof Error ? error.message : String(error);
    if (/\[remote rejected\]|\[rejected\]|pre-receive hook declined/.test(message))
      throw new PushRefusedError(withAdvice(said(message)), { cause: error });
    throw error;
  }
}

/** What can be done about the refusals people meet most. GitHub's words are in its documentation of rulesets and of push protection. */
const ADVICE: readonly (readonly [words: RegExp, advice: string])[] = [
  [/verified signatures/i, "Maestro's commits are not signed: leave branches `maestro/**` out of that rule."],
  [/cannot contain secrets|push protection/i, 'Have the secret taken out of the work, or allow it on GitHub.'],
  [/GH006|protected branch|rule violations/i, 'Leave branches `maestro/**` out of that rule.'],
  [/exceeds GitHub's file size limit|GH001/i, 'Keep files of that size out of the repository.'],
];

function withAdvice(refusal: string): string {
  const advice = ADVICE.find(([words]) => words.test(refusal))?.[1];
  return advice === undefined ? refusal : `${refusal.replace(/[.\s]*$/, '.')} ${advice}`;
}

/** What the remote said, without git's own framing. */
function said(message: string): string {
  const lines = message.split('\n').flatMap((line) => {
    const remoteSaid = /^remote:\s*(.+)$/.exec(line)?.[1];
    const rejected = /\[(?:remote )?rejected\]\s*(.*)$/.exec(line)?.[1];
    return remoteSaid ?? rejected ?? [];
  });
  return lines.join(' ').trim().slice(0, 1000) || message.slice(0, 1000);
}
