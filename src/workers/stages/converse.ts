import { randomUUID } from 'node:crypto';
import { modelOf } from '../../domain/failover.ts';
import type { RepositoryServer } from '../../domain/mcp.ts';
import type { Failure } from '../../domain/outcome.ts';
import { sessionWallMs } from '../../domain/playbook.ts';
import type { Run, RunTask } from '../../domain/run.ts';
import { endsTurn, hindrance, lastWord, notesTold } from '../../domain/talk.ts';
import type { Usage } from '../../domain/usage.ts';
import { composePrompt } from '../../playbook/prompt.ts';
import type { McpServer } from '../../providers/provider.ts';
import type { JobResult } from '../../runners/runner.ts';
import { AGENT } from '../ahead.ts';
import { noteEnd } from '../circuits.ts';
import { configurationOf } from '../configuration.ts';
import { conversationFor, leaveNotes } from '../context.ts';
import { SILENCE, hear, type Conversation } from '../conversation.ts';
import { endingOf, EndedEarly } from '../ending.ts';
import { cachesOf, runOnLane } from '../jobs.ts';
import { answersFor, previousAttempt } from '../going-on.ts';
import { conversing, keepConversation, rescueConversation } from '../kept-sessions.ts';
import { ended, lineSink } from '../lines.ts';
import type { RunScope, TaskRecord } from '../record.ts';
import { speaking, type SessionWire } from '../talk.ts';
import { sinceTakenBack, takenBack } from '../taken-back.ts';
import { openWire } from '../wire.ts';

/** Last lines of standard error shown to the person when an attempt fails. */
const COMPLAINTS = 20;

/** How long after its beginning a session leaves time to make what the next one needs. Milliseconds. */
const EARLY_MS = 5_000;

/** Exit code of a command that SIGTERM ended: 128 and the signal's number. */
const ASKED_TO_END = 143;

const ENDED_FROM_OUTSIDE =
  'The agent was asked to end by something other than Maestro, as an engine or a machine does that shuts down.';

const UNKNOWN_EVENTS = 'the agent printed events its codec does not know; its output format may have changed';

/** How a session ended, as far as it can be told from outside. */
interface SessionEnd {
  readonly heard: Conversation;
  readonly result: JobResult;
  readonly wire: SessionWire;
  readonly complaints: readonly string[];
  /** That a limit of what may be spent ended it. */
  readonly overdrawn: Failure | undefined;
}

/** Gives the task to a fresh session of the agent and listens until it ends. */
export async function converse(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  if (record.commit !== undefined || record.stopped || record.failure !== undefined) return record;
  const { deps, provider, held } = scope;
  await using wire =
    (await scope.ahead.take(record.session.id, provider.id)) ??
    (await openWire(scope, record.session.id, record.task.key)) ??
    null;
  if (wire === null) return { ...record, failure: noKey(provider.title, provider.protocol ?? '') };
  await rescueConversation(record, scope);
  const earlier = await conversationFor(record, scope);
  if ('kind' in earlier) return { ...record, failure: earlier };
  const inside = deps.runner.inside(scope.lane);
  const prompt = promptFor(record, scope, await takenBack(record.earlier, scope));
  await record.sessionLog.write({ type: 'prompt', text: prompt });
  const { servers } = await configurationOf(scope);
  const gatewayUrl = inside.gatewayUrl ?? wire.url ?? '';
  const speech = await speaking(gatewayUrl, wire);
  const offers = [...[...servers].map(offered), ...(provider.usesTools ? [speech.server] : [])];
  const command = provider.command({
    prompt,
    model: modelOf(held.run, provider.id),
    effort: held.run.settings.effort,
    conversation: randomUUID(),
    cwd: inside.repo,
    gatewayUrl,
    placeholderKey: wire.placeholder,
    ...(offers.length === 0 ? {} : { mcpServers: Object.fromEntries(offers) }),
    ...(scope.endpoint?.cloud === undefined ? {} : { cloud: scope.endpoint.cloud }),
    ...(earlier.resume === undefined ? {} : { resume: earlier.resume }),
  });

  let heard = SILENCE;
  const of = { runId: held.run.id, sessionId: record.session.id };
  const listen = lineSink((line) => {
    let writing: Promise<void> | undefined;
    for (const event of provider.decode(line)) {
      heard = hear(heard, event);
      deps.onEvent?.(event, of);
      writing = record.sessionLog.write(event) ?? writing;
      // After a crash, what the agent left is found by this.
      if (event.type === 'session') writing = record.sessionLog.flush();
    }
    return writing;
  });
  let complaints: readonly string[] = [];
  const complain = lineSink((line) => {
    complaints = [...complaints.slice(1 - COMPLAINTS), line.slice(0, 500)];
    return record.sessionLog.write({ type: 'stderr', line });
  });
  const wallMs = Math.min(wallOf(scope), await wire.account.timeLeft());
  // An agent that still works by then waits for its model mostly, and leaves the machine to us.
  const early = setTimeout(() => scope.ahead.beginAfter(record, scope), EARLY_MS);
  const result = await runOnLane(scope, {
    purpose: AGENT,
    session: record.session.id,
    argv: conversing(inside, provider.sessions, command.argv),
    env: { ...cachesOf(inside), ...speech.env, ...command.env },
    files: { ...speech.files, ...command.files, ...earlier.files },
    ...(wire.socket === undefined ? {} : { socket: wire.socket }),
    stdin: command.stdin,
    stdout: listen,
    stderr: complain,
    signal: AbortSignal.any([scope.signal, wire.hopeless, wire.talk.overdue]),
    wallMs,
  }).finally(() => clearTimeout(early));
  await Promise.all([ended(listen), ended(complain)]);
  const overdrawn = await wire.account.close(wire, heard.usage, result);
  for (const word of wire.talk.words()) await record.sessionLog.write({ type: 'word', word });
  await record.sessionLog.flush();
  scope.announcer.noteBlocked(wire.blocked());
  scope.announcer.noteUnderstood(provider, heard.digest);
  const { unknown, events } = heard.digest;
  if (unknown > 0) scope.log.warn({ provider: provider.id, cli: provider.cli, unknown, events }, UNKNOWN_EVENTS);
  await noteEnd(scope, wire.refusal());
  const kept = await keepConversation(record, scope, heard.id);
  const session = { ...record.session, ...(kept === undefined ? {} : { kept }) };
  const concluded = conclude({ ...record, session }, scope, { heard, result, wire, complaints, overdrawn });
  await leaveNotes(concluded, scope);
  return concluded;
}

/** A server of the repository as providers take it. */
function offered([name, server]: readonly [string, RepositoryServer]): readonly [string, McpServer] {
  if (server.kind === 'http') return [name, { url: server.url, headers: server.headers }];
  return [name, { command: server.command, args: server.args, env: server.env }];
}

/** What the attempt has come to: the first reason wins, and an exit code alone never means success. */
function conclude(record: TaskRecord, scope: RunScope, end: SessionEnd): TaskRecord {
  const session = { ...record.session, conversation: end.heard.id, usage: metered(end.heard.usage, end.wire.usage()) };
  const words = end.wire.talk.words();
  const summary = lastWord(words, 'done')?.summary ?? end.heard.digest.lastText;
  const asks = words.find((word) => word.kind === 'ask' || word.kind === 'replan');
  const spoken = { ...record, session, summary, words, ...(asks === undefined ? {} : { asks }) };
  const ending = endingOf(scope.signal);
  if (ending === 'stop') return { ...spoken, stopped: true };
  if (ending !== undefined) throw new EndedEarly(ending);
  const failure = words.some(endsTurn) ? hindrance(words) : failureOf(scope, end);
  if (failure === undefined) return spoken;
  const said = [end.heard.digest.lastText.slice(-2_000), ...end.complaints].filter((part) => part !== '').join('\n');
  return { ...spoken, failure: { ...(said === '' ? {} : { detail: said }), ...failure } };
}

function failureOf(scope: RunScope, end: SessionEnd): Failure | undefined {
  const { idleMs } = scope.deps.settings.session;
  if (end.overdrawn !== undefined) return end.overdrawn;
  switch (end.result.ending) {
    case 'idle':
      return { kind: 'idle', message: `The agent said nothing for ${minutes(idleMs)} and was ended.` };
    case 'wall':
      return {
        kind: 'wall',
        message: `The agent took longer than ${minutes(wallOf(scope))} and was ended.`,
      };
    case 'output':
      return { kind: 'crash', message: 'The agent printed more than a session may and was ended.' };
    case 'memory':
      return { kind: 'crash', message: 'The agent needed more memory than a session may use and was ended.' };
    case 'aborted':
    case 'exited': {
      if (end.result.ending === 'exited' && end.result.code === ASKED_TO_END)
        return { kind: 'infra', message: ENDED_FROM_OUTSIDE };
      const conclusion = scope.provider.conclude(end.heard.digest, end.result.code, end.wire.refusal());
      return conclusion.kind === 'failed' ? conclusion.failure : undefined;
    }
  }
}

/** How long a session may take. Milliseconds. */
function wallOf({ held, deps }: RunScope): number {
  return sessionWallMs(held.run.settings, deps.settings.session);
}

/** The wire's own count where it saw anything, since it can't be mistaken; the provider's word for what the wire can't know. */
function metered(reported: Usage, wire: Usage): Usage {
  const seen = wire.inputTokens + wire.outputTokens > 0;
  return seen ? { ...wire, costUsd: wire.costUsd ?? reported.costUsd } : reported;
}

function promptFor(record: TaskRecord, scope: RunScope, before: string | undefined): string {
  const { run, tasks } = scope.held;
  return composePrompt({
    playbookTitle: run.title,
    documentPath: run.playbook.kind === 'file' ? run.playbook.path : undefined,
    task: { title: record.task.title, text: record.task.text },
    position: record.task.position,
    total: tasks.length,
    done: tasks.filter((task) => task.outcome?.kind === 'committed').map((task) => task.title),
    instructions: [run.instructions, ...wordsFor(record.task, run)].filter((part) => part !== '').join('\n\n'),
    notes: notesTold(tasks),
    handsOver: run.settings.context === 'handoff' || run.settings.context === 'document',
    verify: run.settings.verify ?? [],
    branch: run.branch,
    ...answersFor(record.task),
    ...(before === undefined ? {} : { takenBack: before }),
    ...previousAttempt({ ...record, earlier: sinceTakenBack(record.earlier) }),
  });
}

/** What people added since the run began, for this task. */
function wordsFor({ key }: RunTask, { steering }: Run): readonly string[] {
  return (steering?.words ?? []).filter(({ task }) => task === undefined || task === key).map(({ text }) => text);
}

function noKey(provider: string, protocol: string): Failure {
  const name =
    { anthropic: 'ANTHROPIC_API_KEY', openai: 'OPENAI_API_KEY', gemini: 'GEMINI_API_KEY' }[protocol] ?? 'a model key';
  return {
    kind: 'auth',
    message: `${provider} needs a model key and none is configured: set ${name} where the worker runs, then start the run again.`,
  };
}

function minutes(ms: number): string {
  return ms >= 120_000 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / 1000)} seconds`;
}
