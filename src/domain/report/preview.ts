import type { Estimate } from '../preview.ts';
import type { Run, RunTask } from '../run.ts';
import { count, duration, money } from './quantities.ts';
import { playbookName, withoutEffect } from './run-report.ts';
import { clip, codeSpan, encodeInline, encodeProse } from './untrusted-text.ts';

/** More tasks than this are counted, not listed. */
const LISTED = 100;

/** The comment that shows what a request would come to, and how it is approved. */
export function renderPreview(of: {
  readonly run: Run;
  readonly tasks: readonly RunTask[];
  readonly hash: string;
  readonly estimate: Estimate | undefined;
  readonly requester: string;
}): string {
  const { run, tasks, hash } = of;
  const { playbook } = run;
  const where = playbook.kind === 'file' ? codeSpan(playbookName(playbook)) : playbookName(playbook);
  const more = tasks.length - LISTED;
  return [
    `**Maestro** would work on ${where}: ${count(tasks.length, 'task')}, by ${who(run)}. Nothing has been started.`,
    [
      ...tasks.slice(0, LISTED).map(({ position, title }) => `${position}. ${encodeInline(clip(title, 200))}`),
      ...(more > 0 ? [`\n… and ${count(more, 'more task')}`] : []),
    ].join('\n'),
    howLong(of.estimate),
    settings(run),
    withoutEffect(run),
    `To start exactly this, comment ${codeSpan(`/maestro approve ${hash}`)}. It counts for this text with these settings only: once either has changed, ask for the plan again.`,
    `<sub>Asked for by ${encodeInline(of.requester)}</sub>`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function who({ provider, fallbacks = [], model }: Run): string {
  const rest = fallbacks.length === 0 ? '' : ` (then ${fallbacks.map(codeSpan).join(', ')})`;
  return `${codeSpan(provider)}${model === undefined ? '' : ` with ${codeSpan(model)}`}${rest}`;
}

function howLong(estimate: Estimate | undefined): string {
  if (estimate === undefined) return 'What it takes can not be said: no task of this repository has been done yet.';
  const { sample, durationMs, costUsd } = estimate;
  const cost = costUsd === undefined || costUsd === 0 ? '' : ` and ${money(costUsd)}`;
  return `It takes about ${duration(durationMs)}${cost}, going by the middle one of the last ${count(sample, 'task')} done in this repository.`;
}

/** What the engine would carry out, and what is added to every prompt. */
function settings({ settings: { setup = [], verify = [] }, instructions }: Run): string {
  const lines = [
    ...setup.map((command) => `- prepared by ${codeSpan(clip(command, 300))}`),
    ...verify.map((command) => `- checked by ${codeSpan(clip(command, 300))}`),
    ...(instructions === '' ? [] : [`- with your words: ${encodeProse(clip(instructions, 1_000))}`]),
  ];
  return lines.join('\n');
}
