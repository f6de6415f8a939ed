import { doneCount } from '../run.ts';
import { formatEvidence } from './evidence.ts';
import { count } from './quantities.ts';
import type { RunReport } from './run-report.ts';
import { renderStatusComment } from './status-comment.ts';

/** A check run's text and standing; `conclusion` is given exactly when completed. */
export interface CheckReport {
  readonly status: 'queued' | 'in_progress' | 'completed';
  readonly conclusion?: 'success' | 'failure' | 'neutral' | 'cancelled' | 'action_required';
  readonly title: string;
  readonly summary: string;
  /** What the engine's own checks said; left out where nothing was checked. */
  readonly text?: string;
}

/** Characters for what checks printed, of the 65,535 GitHub takes. */
const OUTPUT = 40_000;

/** The check run on the tip of a run's branch. */
export function renderCheck(report: RunReport): CheckReport {
  const evidence = formatEvidence(report.tasks, OUTPUT);
  return { ...standing(report), ...(evidence === '' ? {} : { text: evidence }) };
}

function standing(report: RunReport): CheckReport {
  const { run, tasks } = report;
  const progress = `${doneCount(tasks)} of ${count(tasks.length, 'task')} done`;
  const summary = renderStatusComment(report);
  switch (run.state) {
    case 'queued':
      return { status: 'queued', title: `Queued: ${count(tasks.length, 'task')}`, summary };
    case 'running':
      return { status: 'in_progress', title: `Working: ${progress}`, summary };
    case 'parked':
      return { status: 'in_progress', title: `Waiting: ${progress}`, summary };
    case 'succeeded':
      return { status: 'completed', conclusion: 'success', title: allDone(tasks.length), summary };
    case 'failed':
      return { status: 'completed', conclusion: 'failure', title: `Not finished: ${progress}`, summary };
    case 'stopped':
      return { status: 'completed', conclusion: 'cancelled', title: `Stopped: ${progress}`, summary };
  }
}

function allDone(tasks: number): string {
  return tasks === 1 ? 'The task is done' : `All ${tasks} tasks done`;
}
