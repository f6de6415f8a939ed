import { Listr } from 'listr2';
import { isFinal, type Run, type RunTask } from '../../domain/run.ts';
import type { Store } from '../../store/store.ts';

/** How often the store is looked at. Milliseconds. */
const POLL_MS = 150;

/** How long a run may take to show up after its trigger. Milliseconds. */
const PATIENCE_MS = 60_000;

export interface Expected {
  /** What made it start, in words. */
  readonly because: string;
  readonly trigger: Run['trigger']['kind'];
}

/** Shows runs as they go, and resolves when all have settled: a live list on a terminal, else a line for each thing that is done. */
export async function watchRuns(
  store: Store,
  expected: readonly Expected[],
  options: {
    readonly live: boolean;
    readonly lastWords: (task: RunTask) => string;
    readonly say: (line: string) => void;
  },
): Promise<void> {
  if (!options.live) {
    await Promise.all(expected.map((one) => tellRun(store, one, options.say)));
    return;
  }
  const list = new Listr(
    expected.map(({ because, trigger }) => ({
      title: because,
      task: async (_context, line) => {
        const run = await appearance(store, trigger);
        line.title = `${because} → ${run.branch}`;
        const rows = (await store.tasksOf(run.id)).map((task) => ({
          title: task.title,
          task: (_: unknown, row: Row) => watchTask(store, task, row, options.lastWords),
        }));
        // One after the other, as the run goes: what waits is shown waiting.
        return line.newListr(rows, { concurrent: false, exitOnError: false });
      },
    })),
    { concurrent: true, exitOnError: false, rendererOptions: { collapseSubtasks: false } },
  );
  await list.run();
  for (const { trigger } of expected) await settled(store, await appearance(store, trigger));
}

/** The part of listr2's task that a row is moved by. */
interface Row {
  title: string;
  output: string;
  skip(message: string): void;
}

async function watchTask(store: Store, task: RunTask, row: Row, lastWords: (task: RunTask) => string): Promise<void> {
  let shown = '';
  for (;;) {
    const [now, run] = await Promise.all([store.tasksOf(task.runId), store.findRun(task.runId)]);
    const current = now.find((one) => one.key === task.key);
    const outcome = current?.outcome;
    if (outcome?.kind === 'committed') {
      row.title = `${task.title} · ${outcome.commit.slice(0, 7)}`;
      return;
    }
    if (outcome?.kind === 'no-change') {
      row.title = `${task.title} · nothing to change`;
      return;
    }
    if (outcome?.kind === 'failed') throw new Error(`${task.title}: ${outcome.failure.message}`);
    if (run === undefined || isFinal(run.state)) {
      row.skip(`${task.title} · not done`);
      return;
    }
    const words = current?.startedAt === undefined ? '' : lastWords(task);
    if (words !== shown) row.output = words;
    shown = words;
    await sleep();
  }
}

async function tellRun(store: Store, { because, trigger }: Expected, say: (line: string) => void): Promise<void> {
  const { id } = await appearance(store, trigger);
  const told = new Set<string>();
  for (;;) {
    const [run, tasks] = await Promise.all([store.findRun(id), store.tasksOf(id)]);
    for (const task of tasks.filter((one) => one.outcome !== undefined && !told.has(one.key))) {
      told.add(task.key);
      say(`  ${taskLine(task, tasks.length)}`);
    }
    if (run === undefined || isFinal(run.state)) {
      say(`${because}: ${run?.state ?? 'gone'}`);
      return;
    }
    await sleep();
  }
}

function taskLine(task: RunTask, total: number): string {
  const { outcome } = task;
  const place = `${task.position}/${total} ${task.title}`;
  switch (outcome?.kind) {
    case 'committed':
      return `✔ ${place} · ${outcome.commit.slice(0, 7)}`;
    case 'no-change':
      return `✔ ${place} · nothing to change`;
    case 'failed':
      return `✖ ${place} · ${outcome.failure.message}`;
    case 'cancelled':
    case 'skipped':
    case 'parked':
    case undefined:
      return `- ${place} · ${outcome?.reason ?? 'not done'}`;
  }
}

async function appearance(store: Store, trigger: Run['trigger']['kind']): Promise<Run> {
  for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
    const run = (await store.listRuns()).find((one) => one.trigger.kind === trigger);
    if (run !== undefined) return run;
    await sleep();
  }
  throw new Error(
    `no run began within ${PATIENCE_MS / 1000} seconds of its ${trigger}; run again with LOG_LEVEL=debug to see why`,
  );
}

async function settled(store: Store, run: Run): Promise<Run> {
  for (let now: Run | undefined = run; ; now = await store.findRun(run.id)) {
    if (now === undefined || isFinal(now.state)) return now ?? run;
    await sleep();
  }
}

function sleep(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
