import { open } from 'node:fs/promises';
import type { Failure } from '../domain/outcome.ts';
import { fullName } from '../domain/repository.ts';
import type { Session } from '../domain/run.ts';
import type { SessionFiles } from '../providers/provider.ts';
import type { Inside, JobFiles } from '../runners/runner.ts';
import { findKept } from '../sessions/shelf.ts';
import { sessionThatAsked } from './going-on.ts';
import { tendLane } from './jobs.ts';
import type { RunScope, TaskRecord } from './record.ts';
import { COMMANDS } from './talk.ts';

/** Where below HOME the archive of an earlier conversation is put for the agent's job to unpack. */
const ARCHIVE = '.maestro-conversation.tar.gz';

/** Bytes of a session's log in which its agent has said which conversation it is; the prompt comes before. */
const HEAD = 1024 * 1024;

/** What the archiving may say of files that vanish or change under its hands; it is whole all the same (tar's exit code 1). */
const MOST_CODE = 1;

/**
 * Runs first in an agent's job. The CLI's directories of conversations lie on the lane, beside the working copy, so that they are
 * still there when the job has ended, however it ended: its HOME is not. Commands of ours are found in HOME. `$1` the working copy, `$2` where they lie, then the
 * directories below HOME, `--` and the command.
 */
const BEGIN = `
repo=$1 place=$2
shift 2
rm -rf "$place"
while [ "$1" != -- ]; do
  mkdir -p "$place/$1" "$HOME/$(dirname "$1")" && ln -s "$place/$1" "$HOME/$1"
  shift
done
shift
if [ -f "$HOME/${ARCHIVE}" ]; then
  tar -xzf "$HOME/${ARCHIVE}" -C "$place" || { echo 'the earlier conversation could not be unpacked' >&2; exit 125; }
  rm -f "$HOME/${ARCHIVE}"
fi
PATH=$HOME/${COMMANDS}:$PATH
export PATH
cd "$repo" && exec "$@"
`;

/**
 * Runs in the keeper when the agent's job is over: prints the conversations' plain files as a tar, nothing if there are none, and
 * removes them. `$1` where they lie, then what to leave out.
 */
const END = `
place=$1
shift
cd "$place" 2>/dev/null || exit 0
left=$#
for path; do set -- "$@" -path "./$path" -prune -o; done
shift "$left"
code=0
if [ -n "$(find . "$@" -type f -print | head -n 1)" ]; then
  find . "$@" -type f -print0 | tar -c -f - --null -T - || code=$?
fi
cd / && rm -rf "$place"
exit "$code"
`;

/** The command of an agent's job: `argv` in the working copy, with the CLI's conversations on the lane. */
export function conversing(inside: Inside, sessions: SessionFiles, argv: readonly string[]): readonly string[] {
  return ['sh', '-c', BEGIN, 'maestro-agent', inside.repo, placeOn(inside), ...sessions.directories, '--', ...argv];
}

/** What an attempt needs to go on with an earlier conversation; nothing when it begins one of its own. */
export interface Earlier {
  readonly resume?: string;
  readonly files: JobFiles;
}

/**
 * The conversation of the session that asked what people have answered since, so that its agent goes on where it asked. Nothing
 * where that can't be had: what was asked and answered is in the prompt as well.
 */
async function askedConversation(record: TaskRecord, scope: RunScope): Promise<Earlier | undefined> {
  const asked = sessionThatAsked(record);
  return asked === undefined ? undefined : await conversationOf(asked.id, record, scope);
}

/**
 * Finds the conversation that the run's first task is to go on with. A failure, for the person, when it can't be had here: of our
 * own kind, since it may be on another worker's disk.
 */
export async function earlierConversation(record: TaskRecord, scope: RunScope): Promise<Earlier | Failure> {
  const { deps, held, provider, lane } = scope;
  const asked = await askedConversation(record, scope);
  if (asked !== undefined) return asked;
  const { resume, repository } = held.run;
  if (resume === undefined || record.task.position !== 1) return { files: {} };
  const kept = findKept(await deps.shelf.list(repository.id), resume.session);
  const archive = kept === undefined ? undefined : await deps.shelf.read(kept);
  if (kept === undefined || archive === undefined) {
    return failure(
      `The conversation \`${resume.conversation}\` is not kept on this worker (any more), so it can't be gone on with.`,
    );
  }
  if (kept.provider !== provider.id) {
    return failure(
      `The conversation \`${resume.conversation}\` is one of ${kept.provider}: ${provider.title} can't go on with it.`,
    );
  }
  const { repo } = deps.runner.inside(lane);
  if (kept.cwd !== repo && !provider.sessions.elsewhere) {
    return failure(
      `${provider.title} goes on with a conversation only in the directory it was begun in (${kept.cwd}), and this run works in ${repo}.`,
    );
  }
  await record.sessionLog.write({ type: 'stage', name: 'resume', detail: `${kept.id} ${kept.conversation}` });
  return { resume: kept.conversation, files: { [ARCHIVE]: archive } };
}

/** The conversation of an earlier session of ours, for another of the same provider; undefined where it can't be gone on with. */
export async function conversationOf(
  session: Session['id'],
  record: TaskRecord,
  { deps, held, provider, lane }: RunScope,
): Promise<Earlier | undefined> {
  const kept = findKept(await deps.shelf.list(held.run.repository.id), session);
  if (kept === undefined || kept.provider !== provider.id) return undefined;
  if (kept.cwd !== deps.runner.inside(lane).repo && !provider.sessions.elsewhere) return undefined;
  const archive = await deps.shelf.read(kept);
  if (archive === undefined) return undefined;
  await record.sessionLog.write({ type: 'stage', name: 'resume', detail: `${kept.id} ${kept.conversation}` });
  return { resume: kept.conversation, files: { [ARCHIVE]: archive } };
}

/**
 * Puts the CLI's own files of a conversation that is over on the shelf. Gives their size; undefined when nothing is kept. Never
 * rejects: that the conversation can't be gone on with later is no reason to lose the work.
 */
export async function keepConversation(
  record: TaskRecord,
  scope: RunScope,
  conversation: string | undefined,
): Promise<number | undefined> {
  return conversation === undefined ? undefined : await keep(record.session, conversation, record, scope);
}

/** The same for the session before this one, if a worker died over it: what it left is still on the lane. */
export async function rescueConversation(record: TaskRecord, scope: RunScope): Promise<void> {
  const before = record.earlier.at(-1);
  if (before === undefined || before.endedAt !== undefined || before.kept !== undefined) return;
  const conversation = await conversationIn(before.log);
  if (conversation !== undefined) await keep(before, conversation, record, scope);
}

async function keep(
  session: Session,
  conversation: string,
  { task }: TaskRecord,
  scope: RunScope,
): Promise<number | undefined> {
  const { deps, held, lane, saving } = scope;
  const provider = deps.findProvider(session.provider);
  if (provider === undefined || saving.aborted) return undefined;
  const inside = deps.runner.inside(lane);
  const { repository } = held.run;
  const about = {
    id: session.id,
    repository: { id: repository.id, name: fullName(repository) },
    provider: provider.id,
    conversation,
    cwd: inside.repo,
    title: task.title,
    startedAt: session.startedAt,
    endedAt: deps.clock.now(),
    imported: false,
  };
  const argv = ['sh', '-c', END, 'maestro-conversation', placeOn(inside), ...provider.sessions.without];
  try {
    const kept = await deps.shelf.put(about, async (sink) => {
      const result = await tendLane(scope, { argv, stdout: sink, signal: saving });
      if (result.ending === 'exited' && (result.code ?? MOST_CODE + 1) <= MOST_CODE) return;
      throw new Error(`it could not be read from the lane (${result.ending} ${result.code}): ${result.stderr}`);
    });
    return kept?.bytes;
  } catch (error) {
    scope.log.warn({ err: error, sessionId: session.id }, 'the files of a conversation could not be kept');
    return undefined;
  }
}

/** The id a session's log begins with, if its agent came to say it. */
async function conversationIn(log: string): Promise<string | undefined> {
  const head = Buffer.alloc(HEAD);
  try {
    await using file = await open(log, 'r');
    const { bytesRead } = await file.read(head, 0, HEAD, 0);
    const [, id] =
      /^\{"at":\d+,"type":"session","id":"([A-Za-z0-9_-]+)"/m.exec(head.toString('utf8', 0, bytesRead)) ?? [];
    return id;
  } catch {
    return undefined;
  }
}

/** Beside the working copy, where no commit of the agent's reaches. */
function placeOn(inside: Inside): string {
  return `${inside.repo}.conversations`;
}

function failure(message: string): Failure {
  return { kind: 'infra', message };
}
