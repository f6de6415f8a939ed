import { renderCheck } from '../domain/report/check.ts';
import { branchTip } from '../domain/redo.ts';
import { renderPullRequest } from '../domain/report/pull-request.ts';
import { recordOf } from '../domain/run-record.ts';
import { issueOf, type NotUnderstood, type RunReport } from '../domain/report/run-report.ts';
import { renderStatusComment } from '../domain/report/status-comment.ts';
import type { Run } from '../domain/run.ts';
import type { BlockedHost } from '../gateway/gateway.ts';
import type { Provider } from '../providers/provider.ts';
import { ForgeError, type Reaction, type StateLabel } from '../forge/forge.ts';
import { BranchMovedError } from '../git/remote.ts';
import type { Log } from '../telemetry/log.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldRun } from './held-run.ts';

/** What a run being in a state means for the one state label of its issue. */
const LABELS: Readonly<Record<Run['state'], StateLabel>> = {
  queued: 'maestro-queued',
  running: 'maestro-running',
  parked: 'maestro-waiting',
  succeeded: 'maestro-done',
  failed: 'maestro-failed',
  stopped: 'maestro-stopped',
};

/** Share of GitHub's measure that edits in between leave to what runs wait for: pull requests and last words. */
const KEPT_ROOM = 0.5;

/** How long the first changes are gathered: taking up a run is several of them. Milliseconds. */
const GATHER_MS = 1_000;

/** How many commits back a check of an earlier life may be: edits are told every few commits at least. */
const CHECKED_BACK = 20;

/**
 * Keeps what people see true: the status comment, the pull request, the check, the label. Changes of the run are gathered and told
 * at most every so often, and less often when many runs write at once; what could not be told is told with the next change, and
 * the run goes on meanwhile. The last word is not left to chance: `finish` throws until it is said.
 *
 * A run that came from no issue shows how it goes on in its pull request's description and check; its comment, which is the only
 * one of these that notifies anybody, and its label come when there is something to say to people: that it waits, or how it ended.
 */
export class Announcer {
  readonly #deps: WorkerDeps;
  readonly #held: HeldRun;
  readonly #log: Log;
  readonly #links: NonNullable<RunReport['links']>;
  readonly #blocked = new Map<string, number>();
  readonly #notes = new Set<string>();
  readonly #understood = new Map<string, NotUnderstood>();
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<void> = Promise.resolve();
  #toldAt = Number.NEGATIVE_INFINITY;
  #label: StateLabel | undefined;
  /** The commit whose check is ours to bring up to date; undefined while none is. */
  #checked: string | undefined;
  /** Whether commits of an earlier life may have checks. */
  readonly #resumed: boolean;
  /** What was told last, but for the time that went by. */
  #told = '';
  #closed = false;
  #base: RunReport['base'];

  constructor(of: {
    readonly deps: WorkerDeps;
    readonly held: HeldRun;
    readonly log: Log;
    readonly links: NonNullable<RunReport['links']>;
  }) {
    this.#deps = of.deps;
    this.#held = of.held;
    this.#log = of.log;
    this.#links = of.links;
    this.#resumed = of.held.run.startedAt !== undefined;
  }

  /** Notes that something changed; it is told soon. */
  touch(): void {
    if (this.#closed || this.#timer !== undefined) return;
    const { statusIntervalMs } = this.#deps.settings;
    const wait = Math.max(
      Math.min(GATHER_MS, statusIntervalMs),
      this.#toldAt + statusIntervalMs - this.#deps.clock.monotonic(),
    );
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const { run } = this.#held;
      const isFirstWord = issueOf(run) !== undefined && run.statusCommentId === undefined;
      if (!isFirstWord && this.#deps.forge.writeRoom() < KEPT_ROOM) {
        this.#toldAt = this.#deps.clock.monotonic();
        this.touch();
        return;
      }
      this.#telling = this.#telling
        .then(() => this.#tell(this.#held.run))
        .catch((error: unknown) =>
          this.#log.warn({ err: error }, 'status could not be told; it will be with the next change'),
        );
    }, wait);
  }

  noteBlocked(hosts: readonly BlockedHost[]): void {
    for (const { host, count } of hosts) this.#blocked.set(host, (this.#blocked.get(host) ?? 0) + count);
  }

  /** Notes a sentence on what people would not expect of the run; the same one is told once. */
  note(sentence: string): void {
    this.#notes.add(sentence);
  }

  /** Notes how much of what an agent printed its codec did not know. */
  noteUnderstood({ title, cli }: Provider, seen: { readonly events: number; readonly unknown: number }): void {
    const before = this.#understood.get(title);
    this.#understood.set(title, {
      agent: title,
      madeFor: cli && `${cli.package}@${cli.version}`,
      unknown: (before?.unknown ?? 0) + seen.unknown,
      events: (before?.events ?? 0) + seen.events,
    });
  }

  /**
   * Opens the run's draft pull request, or adopts the one an earlier try opened.
   *
   * @throws BranchMovedError when there can be none because somebody deleted the run's branch, or moved it.
   */
  async ensurePullRequest(): Promise<void> {
    const { run } = this.#held;
    if (run.pullRequest !== undefined) return;
    const text = renderPullRequest(await this.#report(run));
    const opened = await this.#held.effect(
      { key: 'pull-request', name: 'pull-request', intent: { head: run.branch, base: run.base.ref } },
      () =>
        this.#deps.forge
          .ensurePullRequest(run.repository, {
            head: run.branch,
            base: run.base.ref,
            ...text,
            draft: true,
            record: recordOf(run, this.#held.tasks),
          })
          .catch(async (error: unknown) => {
            if (error instanceof ForgeError && error.kind === 'invalid') await this.#assertBranchStands(run);
            throw error;
          }),
    );
    const pullRequest = { number: opened.number, url: opened.url, draft: opened.draft };
    // Its description is as good as told just now.
    this.#toldAt = this.#deps.clock.monotonic();
    this.#putOff();
    await this.#held.changeRun({ pullRequest });
    await this.#held.audit(this.#deps.clock.now(), 'pull request opened', pullRequest);
  }

  /** Of a branch that is gone, or has nothing on it, GitHub only says that it can't open a pull request from it. */
  async #assertBranchStands(run: Run): Promise<void> {
    const expected = branchTip(run);
    const actual = await this.#deps.forge.branchHead(run.repository, run.branch);
    if (actual !== expected) throw new BranchMovedError(run.branch, expected, actual);
  }

  /** Says the last word on the run as it will be, everywhere. Doing it again after a failure half way changes nothing. */
  async finish(ended: Run): Promise<void> {
    await this.close();
    const { forge } = this.#deps;
    if (ended.pullRequest !== undefined) this.#base = { sha: await forge.branchHead(ended.repository, ended.base.ref) };
    // What was taken back is still on the branch when nothing came in its place: that is for nobody to review.
    if (ended.pullRequest !== undefined && ended.state === 'succeeded' && ended.pushed === undefined) {
      // Before it is so: a run that goes on after all makes a draft again of what may be none.
      await this.#held.changeRun({ pullRequest: { ...ended.pullRequest, draft: false } });
      await forge.markReady(ended.repository, ended.pullRequest.number);
    }
    await this.#tell(ended);
    await this.#react(ended.state === 'succeeded' ? 'hooray' : 'confused');
  }

  /** Tells how things stand at once; a failure is only logged. */
  async sayNow(): Promise<void> {
    await this.close();
    await this.#tell(this.#held.run).catch((error: unknown) =>
      this.#log.warn({ err: error }, 'status could not be told'),
    );
  }

  /** Shows that work has begun on the request itself. */
  async begin(): Promise<void> {
    await this.#react('rocket');
    this.touch();
  }

  /** Stops telling; waits for what is being told. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#putOff();
    await this.#telling;
  }

  #putOff(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #tell(run: Run): Promise<void> {
    this.#held.assertOurs();
    this.#toldAt = this.#deps.clock.monotonic();
    const report = await this.#report(run);
    const told = renderStatusComment({ ...report, now: 0 }) + run.tip + JSON.stringify(report.blockedHosts);
    if (told === this.#told && run.state === 'running') return;
    const { forge } = this.#deps;
    if (run.pullRequest !== undefined) {
      await forge.describePullRequest(run.repository, run.pullRequest.number, {
        ...renderPullRequest(report),
        record: recordOf(run, report.tasks),
      });
      // Never on the base itself, which is somebody else's.
      const head = branchTip(run);
      if (head !== undefined) await this.#check(run, report, head);
    }
    await this.#comment(run, report);
    this.#told = told;
  }

  async #comment(run: Run, report: RunReport): Promise<void> {
    const { forge } = this.#deps;
    const issue = issueOf(run);
    const thread = issue ?? run.pullRequest?.number;
    if (thread === undefined) return;
    if (issue === undefined && run.statusCommentId === undefined && run.state === 'running') return;
    const known = this.#held.run.statusCommentId;
    const id = await forge.ensureComment(run.repository, thread, `run/${run.id}`, renderStatusComment(report), known);
    if (id !== this.#held.run.statusCommentId && !this.#closed) await this.#held.changeRun({ statusCommentId: id });
    if (this.#label !== LABELS[run.state]) await forge.setStateLabel(run.repository, thread, LABELS[run.state]);
    this.#label = LABELS[run.state];
  }

  /** One check on the newest commit; on those of the commits before it, a word that it moved on. */
  async #check(run: Run, report: RunReport, head: string): Promise<void> {
    const { forge } = this.#deps;
    const check = { key: `run/${run.id}`, name: 'Maestro' };
    const commits = report.tasks.flatMap(({ outcome: end }) => (end?.kind === 'committed' ? [end.commit] : []));
    const unknown = this.#resumed ? commits.slice(-CHECKED_BACK) : [];
    const before = this.#checked === undefined ? unknown : [this.#checked];
    await forge.ensureCheck(run.repository, { ...check, headSha: head, ...renderCheck(report) });
    for (const headSha of before.filter((commit) => commit !== head)) {
      await forge.ensureCheck(run.repository, {
        ...check,
        headSha,
        unlessAbsent: true,
        status: 'completed',
        conclusion: 'neutral',
        title: 'Went on to a later commit',
        summary: `The run went on; its verdict is on ${head}.`,
      });
    }
    this.#checked = head;
  }

  async #react(content: Reaction): Promise<void> {
    const { run } = this.#held;
    if (run.trigger.kind === 'push') return;
    const target =
      run.trigger.kind === 'label'
        ? ({ kind: 'issue', number: run.trigger.issue } as const)
        : ({ kind: 'comment', id: run.trigger.commentId } as const);
    await this.#deps.forge
      .react(run.repository, target, content)
      .catch((error: unknown) => this.#log.warn({ err: error }, 'reaction could not be given'));
  }

  async #report(run: Run): Promise<RunReport> {
    return {
      run,
      tasks: this.#held.tasks,
      sessions: await this.#held.sessionsByProvider(),
      now: this.#deps.clock.now(),
      spending: { spent: await this.#deps.store.spentByRun(run.id), operator: this.#deps.settings.budget },
      links: this.#links,
      ...(this.#base === undefined ? {} : { base: this.#base }),
      blockedHosts: [...this.#blocked].map(([host, count]) => ({ host, count })),
      notes: [...this.#notes],
      notUnderstood: [...this.#understood.values()].filter(({ unknown }) => unknown > 0),
    };
  }
}
