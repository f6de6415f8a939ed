import { execFile } from 'node:child_process';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { LocalGithub } from '../../local-github/server.ts';
import type { RunId } from '../../src/domain/ids.ts';
import { isFinal, type Run, type RunTask } from '../../src/domain/run.ts';
import type { Store } from '../../src/store/store.ts';

const execute = promisify(execFile);

export const OWNER = 'acme';
export const PLAYBOOKS = '.maestro/playbooks';

/** How long anything may take that a test waits for, on a machine that is busy. */
const DEADLINE_MS = 90_000;

export interface Pull {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly draft: boolean;
  readonly state: string;
  readonly merged: boolean;
  readonly head: { readonly ref: string; readonly sha: string };
  readonly base: { readonly ref: string };
  readonly user: { readonly login: string };
}

export interface Comment {
  readonly id: number;
  readonly body: string;
  readonly user: { readonly login: string };
}

export interface Issue {
  readonly number: number;
  readonly body: string;
  readonly state: string;
  readonly labels: readonly { readonly name: string }[];
}

export interface CheckRun {
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly output: { readonly title: string; readonly summary: string; readonly text: string | null };
}

/** A run with its tasks. */
export interface SettledRun extends Run {
  readonly tasks: readonly RunTask[];
}

/** A repository, and what people and tests do there. Requests are below `/repos/acme/NAME`. */
export interface Place {
  readonly id: number;
  readonly name: string;
  readonly fullName: string;
  /** Does something as a person; gives GitHub's answer. */
  as<Data>(login: string, request: string, body?: unknown): Promise<Data>;
  issue(title: string, body?: string): Promise<number>;
  label(issue: number, label?: string, login?: string): Promise<void>;
  unlabel(issue: number, label?: string, login?: string): Promise<void>;
  comment(thread: number, body: string, login?: string): Promise<number>;
  /** Writes a file on a branch, `main` when omitted. */
  push(
    file: string,
    text: string | Buffer,
    change?: { readonly login?: string; readonly branch?: string },
  ): Promise<void>;
  /** Writes a playbook by its name below the playbook directory. */
  pushPlaybook(name: string, text: string | Buffer, login?: string): Promise<void>;
  runs(): Promise<readonly Run[]>;
  /** Waits for the repository's runs, `count` of them (1 when omitted), to be settled. Oldest first. */
  settledRuns(count?: number): Promise<readonly SettledRun[]>;
  /** The one run of the repository, settled. */
  settledRun(): Promise<SettledRun>;
  /** Waits until something holds. Rejects with what app and worker logged when it does not within the deadline. */
  until<T>(what: string, probe: () => Promise<T | undefined | false>, deadlineMs?: number): Promise<T>;
  /** Whether an event of a session of the repository's newest run, as JSON, holds a text by now. */
  agentSaid(text: string): Promise<boolean>;
  pulls(): Promise<readonly Pull[]>;
  pull(number: number): Promise<Pull>;
  getIssue(number: number): Promise<Issue>;
  comments(thread: number): Promise<readonly Comment[]>;
  /** What our bot wrote in a thread, oldest first. */
  answers(thread: number): Promise<readonly string[]>;
  reactions(target: string): Promise<readonly string[]>;
  checks(sha: string): Promise<readonly CheckRun[]>;
  /** All branches with where they are. */
  branches(): Promise<ReadonlyMap<string, string>>;
  /** As `branches` last found them. */
  knownBranches(): Promise<ReadonlyMap<string, string>>;
  /** Where the place's own part of what the product recorded begins. */
  readonly since: { readonly log: number; readonly requests: number };
  /** git in a bare copy of the repository that `branches` brings up to date. */
  git(...argv: readonly string[]): Promise<string>;
  /** A file at a commit, byte for byte as Latin 1. */
  bytes(commit: string, file: string): Promise<string>;
}

interface PlaceDeps {
  readonly github: LocalGithub;
  readonly store: Store;
  readonly log: readonly string[];
  readonly home: string;
  readonly quiet: () => Promise<void>;
  /** All events of all sessions of a run so far, as JSON. */
  readonly said: (run: RunId) => string;
  readonly name: string;
  readonly id: number;
}

/** A place over a repository that exists. */
export function createPlace(deps: PlaceDeps): Place {
  const { github, store, name, id } = deps;
  const fullName = `${OWNER}/${name}`;
  /** It may have been renamed; one that is gone keeps its name. */
  const nameNow = (): string => github.repositories.find((one) => one.id === id)?.fullName ?? fullName;
  const copy = path.join(deps.home, '..', `${name}.git`);
  const from = deps.log.length;

  async function as<Data>(login: string, request: string, body?: unknown): Promise<Data> {
    const [method = 'GET', below = ''] = request.split(' ', 2);
    return await github.as(login).call<Data>(`${method} /repos/${nameNow()}${below}`, body);
  }

  async function until<T>(
    what: string,
    probe: () => Promise<T | undefined | false>,
    deadlineMs = DEADLINE_MS,
  ): Promise<T> {
    const end = Date.now() + deadlineMs;
    for (;;) {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
      if (Date.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms.\n${await story()}`);
      await pause(50);
    }
  }

  /** What happened so far, for a person who has to find out why it did not go on. */
  async function story(): Promise<string> {
    const found = await withTasks(await place.runs());
    const told = found.map((run) => {
      const tasks = run.tasks.map((task) => `    ${task.position} ${JSON.stringify(task.outcome)}`);
      return [`  run ${run.id} ${run.state} ${run.reason ?? ''}`, ...tasks].join('\n');
    });
    const logged = deps.log.slice(from).filter((line) => !/"msg":"wrote to GitHub"|"part":"probot"/.test(line));
    return [...told, ...logged.slice(-60).map((line) => `  ${line.trim().slice(0, 1500)}`)].join('\n');
  }

  async function withTasks(runs: readonly Run[]): Promise<readonly SettledRun[]> {
    return await Promise.all(runs.map(async (run) => ({ ...run, tasks: await store.tasksOf(run.id) })));
  }

  async function git(...argv: readonly string[]): Promise<string> {
    const { stdout } = await execute('git', ['-C', copy, ...argv], { maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }

  const place: Place = {
    id,
    name,
    fullName,
    since: { log: from, requests: github.control.counts().requests },
    as,
    issue: async (title, body = '') => (await as<Issue>('rory', 'POST /issues', { title, body })).number,
    label: async (issue, label = 'maestro', login = 'will') => {
      await as(login, `POST /issues/${issue}/labels`, { labels: [label] });
    },
    unlabel: async (issue, label = 'maestro', login = 'will') => {
      await as(login, `DELETE /issues/${issue}/labels/${encodeURIComponent(label)}`);
    },
    comment: async (thread, body, login = 'will') =>
      (await as<Comment>(login, `POST /issues/${thread}/comments`, { body })).id,
    push: async (file, text, { login = 'will', branch = 'main' } = {}) => {
      const there = await github.as(login).request(`GET /repos/${nameNow()}/contents/${file}?ref=${branch}`);
      const known = there.status === 200 ? { sha: (there.data as { readonly sha: string }).sha } : {};
      const content = Buffer.from(text).toString('base64');
      await as(login, `PUT /contents/${file}`, { message: `Write ${file}`, content, branch, ...known });
    },
    pushPlaybook: async (file, text, login = 'will') => place.push(`${PLAYBOOKS}/${file}`, text, { login }),
    runs: async () => (await store.listRuns({ repositoryId: id })).toSorted((a, b) => a.createdAt - b.createdAt),
    settledRuns: async (count = 1) => {
      const runs = await until(`${count} settled runs of ${fullName}`, async () => {
        const found = await place.runs();
        return found.length >= count && found.every((run) => isFinal(run.state)) ? found : undefined;
      });
      await deps.quiet();
      if (runs.length !== count) throw new Error(`${runs.length} runs instead of ${count}.\n${await story()}`);
      return await withTasks(runs);
    },
    settledRun: async () => {
      const [run] = await place.settledRuns(1);
      if (run === undefined) throw new Error('There is no run.');
      return run;
    },
    until,
    agentSaid: async (text) => {
      const run = (await place.runs()).at(-1);
      return run !== undefined && deps.said(run.id).includes(text);
    },
    pulls: async () => await as<readonly Pull[]>('ada', 'GET /pulls?state=all&per_page=100'),
    pull: async (number) => await as<Pull>('ada', `GET /pulls/${number}`),
    getIssue: async (number) => await as<Issue>('ada', `GET /issues/${number}`),
    comments: async (thread) => await as<readonly Comment[]>('ada', `GET /issues/${thread}/comments?per_page=100`),
    answers: async (thread) =>
      (await place.comments(thread))
        .filter((comment) => comment.user.login.endsWith('[bot]'))
        .map((comment) => comment.body),
    reactions: async (target) =>
      (await as<readonly { readonly content: string }[]>('ada', `GET /${target}/reactions`)).map(
        ({ content }) => content,
      ),
    checks: async (sha) =>
      (await as<{ readonly check_runs: readonly CheckRun[] }>('ada', `GET /commits/${sha}/check-runs`)).check_runs,
    branches: async () => {
      const url = github.gitUrl(
        OWNER,
        (await as<{ readonly name: string }>('ada', 'GET ')).name,
        github.as('ada').token,
      );
      await execute('git', ['init', '--quiet', '--bare', copy]);
      await git('fetch', '--quiet', '--prune', url, '+refs/heads/*:refs/heads/*');
      return await place.knownBranches();
    },
    knownBranches: async () => {
      const listed = await git('for-each-ref', '--format=%(refname:short) %(objectname)', 'refs/heads');
      return new Map(
        listed
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => line.split(' ') as [string, string]),
      );
    },
    git,
    bytes: async (commit, file) => {
      const { stdout } = await execute('git', ['-C', copy, 'show', `${commit}:${file}`], { encoding: 'latin1' });
      return stdout;
    },
  };
  return place;
}
