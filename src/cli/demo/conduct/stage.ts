import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { issueOf } from '../../../domain/report/run-report.ts';
import { isFinal, type Run, type RunTask } from '../../../domain/run.ts';
import { DEMO_OWNER, DEMO_REPOSITORY, DEMO_USER } from '../seed.ts';
import type { World } from '../world.ts';
import { readable, threadText, type Comment } from './thread-text.ts';

/** How often GitHub and the store are looked at, and how long something may take to come. Milliseconds. */
const POLL_MS = 200;
const PATIENCE_MS = 600_000;

const REPOSITORY = `/repos/${DEMO_OWNER}/${DEMO_REPOSITORY}`;

/** A run with its tasks, as it stands. */
export interface Standing {
  readonly run: Run;
  readonly tasks: readonly RunTask[];
}

/** One issue with its run: what a person does there, and what they see. */
export class Stage {
  readonly #world: World;
  readonly #shown = new Map<number, string>();
  readonly #told: string[] = [];
  #issue = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** What was shown so far, as text. */
  get told(): string {
    return this.#told.join('\n');
  }

  /** Opens an issue and labels it, so that its run starts. */
  async begin(title: string, body: string): Promise<void> {
    const issue = await this.#call<{ readonly number: number }>('POST /issues', { title, body });
    this.#issue = issue.number;
    await this.#call(`POST /issues/${issue.number}/labels`, { labels: ['maestro'] });
    this.#told.push(
      `  Issue #${issue.number}, "${title}":`,
      ...body
        .trim()
        .split('\n')
        .map((line) => `      ${line}`),
    );
  }

  /** Comments on the issue. */
  async say(body: string): Promise<void> {
    await this.#call(`POST /issues/${this.#issue}/comments`, { body });
  }

  /** Waits until the run is as it should be. Gives it. Rejects when it ends otherwise, or when that takes too long. */
  async until(what: string, isSo: (now: Standing) => boolean): Promise<Standing> {
    let last = 'there is no run';
    for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
      const now = await this.#standing();
      if (now !== undefined && isSo(now)) return now;
      if (now !== undefined)
        last = `the run is ${now.run.state}${now.run.reason === undefined ? '' : `: ${now.run.reason}`}`;
      await pause(POLL_MS);
    }
    throw new Error(`waited in vain for ${what}; ${last}`);
  }

  /** Waits for the run's end. */
  async end(isSo: (now: Standing) => boolean = () => true): Promise<Standing> {
    return await this.until('its end', (now) => isFinal(now.run.state) && isSo(now));
  }

  /** Waits until the thread says all of `texts`, one of them since it was last shown, then shows what is new there. */
  async show(caption: string, ...texts: readonly string[]): Promise<void> {
    for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
      const seen = await this.#call<readonly Comment[]>(`GET /issues/${this.#issue}/comments?per_page=100`);
      const fresh = seen.filter(({ id, body }) => this.#shown.get(id) !== body);
      if (texts.every((text) => says(seen, text)) && texts.some((text) => says(fresh, text))) {
        for (const { id, body } of fresh) this.#shown.set(id, body);
        this.#told.push(`  ${caption}:`, threadText(fresh));
        return;
      }
      await pause(POLL_MS);
    }
    throw new Error(`the thread never said ${texts.map((text) => `"${text}"`).join(' and ')}`);
  }

  /** The description of the run's pull request; shows the lines of it that match. */
  async pullRequest({ run }: Standing, lines: RegExp): Promise<string> {
    if (run.pullRequest === undefined) throw new Error('the run has no pull request');
    const { body } = await this.#call<{ readonly body: string }>(`GET /pulls/${run.pullRequest.number}`);
    const found = body.split('\n').filter((line) => lines.test(line));
    if (found.length === 0) throw new Error(`pull request #${run.pullRequest.number} does not say ${String(lines)}`);
    this.#told.push(
      `  Pull request #${run.pullRequest.number} says:`,
      ...found.map((line) => `  │   ${readable(line)}`),
    );
    return body;
  }

  /** Files on the run's branch, by name. */
  async files({ run }: Standing): Promise<readonly string[]> {
    const tree = await this.#call<{ readonly tree: readonly { readonly path: string }[] }>(`GET /git/trees/${run.tip}`);
    return tree.tree.map(({ path }) => path);
  }

  /** The prompt that the last session of a task got, from its log. */
  async prompt({ run, tasks }: Standing, position: number): Promise<string> {
    const key = tasks.find((task) => task.position === position)?.key;
    const log = (await this.#world.shared.store.sessionsOf(run.id, key)).at(-1)?.log ?? '';
    const lines = (await readFile(log, 'utf8')).split('\n');
    return lines.find((line) => line.includes('"type":"prompt"')) ?? '';
  }

  /** Makes sure of something that was promised. */
  check(isSo: boolean, otherwise: string): void {
    if (!isSo) throw new Error(otherwise);
  }

  async #standing(): Promise<Standing | undefined> {
    const { store } = this.#world.shared;
    const run = (await store.listRuns()).find((one) => issueOf(one) === this.#issue);
    return run === undefined ? undefined : { run, tasks: await store.tasksOf(run.id) };
  }

  async #call<Data>(request: string, body?: unknown): Promise<Data> {
    const [method = 'GET', below = ''] = request.split(' ', 2);
    return await this.#world.github.as(DEMO_USER).call<Data>(`${method} ${REPOSITORY}${below}`, body);
  }
}

function says(comments: readonly Comment[], text: string): boolean {
  return comments.some(({ body }) => readable(body).includes(text));
}
