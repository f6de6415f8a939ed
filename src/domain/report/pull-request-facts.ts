import type { RunId } from '../ids.ts';
import { STATE_ICONS, type TaskState } from './run-report.ts';
import { decodeInline } from './untrusted-text.ts';

/** What the body of a pull request of ours says about its run, for rebuilding the run when the store is gone (design §5). */
export interface PullRequestFacts {
  readonly runId: RunId;
  /** Path of the file, or `#` and the number of the issue. */
  readonly playbook: string;
  readonly requester: string;
  readonly base: { readonly ref: string; readonly sha: string };
  /** Every task, or the first ones if a body can't hold them all; see `total`. */
  readonly tasks: readonly TaskFacts[];
  readonly total: number;
}

export interface TaskFacts {
  readonly position: number;
  /** Exact unless `shortened`. */
  readonly title: string;
  readonly state: TaskState;
  readonly commit: string | undefined;
}

/** The facts in a body `renderPullRequest` made; undefined for any other text, or when someone edited the facts away. */
export function parsePullRequest(body: string): PullRequestFacts | undefined {
  const lines = body.split(/\r?\n/u);
  const facts = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^\| ([A-Z][a-z ]*\d*) \| (.*) \|$/u.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !facts.has(name)) facts.set(name, value);
  }
  const tasks = lines.flatMap((line) => parseTask(line, facts) ?? []);
  // The table has only the first digits of a commit: with its fact gone, it is not known.
  if (tasks.some((task) => task.state === 'committed' && task.commit === undefined)) return undefined;
  const runId = /`(r[a-z2-7]{15})`/u.exec(facts.get('Run') ?? '')?.[1];
  const [, ref, sha] = /^(.*) at ([0-9a-f]{40,64})$/u.exec(facts.get('Base') ?? '') ?? [];
  const playbook = facts.get('Playbook');
  const requester = facts.get('Asked for by');
  const total = Number(facts.get('Tasks') ?? Number.NaN);
  if (runId === undefined || ref === undefined || sha === undefined) return undefined;
  if (playbook === undefined || requester === undefined || !Number.isInteger(total)) return undefined;
  return {
    runId: runId as RunId,
    playbook: decodeInline(playbook),
    requester: decodeInline(requester),
    base: { ref: decodeInline(ref), sha },
    tasks,
    total,
  };
}

const STATES: ReadonlyMap<string, TaskState> = new Map(
  (Object.keys(STATE_ICONS) as TaskState[]).flatMap((state) => [
    [STATE_ICONS[state], state],
    [`${STATE_ICONS[state]} ${state}`, state],
  ]),
);

function parseTask(line: string, facts: ReadonlyMap<string, string>): TaskFacts | undefined {
  const match = /^\| (\d+) \| ([^|]+) \| (.*) \| ([^|]*) \|$/u.exec(line);
  const [, position = '', stateText = '', title = '', cell = ''] = match ?? [];
  const state = STATES.get(stateText);
  if (match === null || state === undefined) return undefined;
  const commit = [facts.get(`Commit ${position}`), cell].find((text) => /^[0-9a-f]{40,64}$/u.test(text ?? ''));
  return { position: Number(position), title: decodeInline(title), state, commit };
}
