import type { Repository } from '../../domain/repository.ts';
import type { IssueState, Reaction, ReactionTarget, StateLabel } from '../forge.ts';
import { isKind } from './client.ts';
import type { ForgeContext } from './context.ts';
import type { EffectName } from '../../telemetry/failpoint.ts';
import { ensure } from './ensure.ts';

/** GitHub's stand-in for a deleted account. */
export const GHOST = { id: 10_137, login: 'ghost' };

/** How our labels look when we have to make them. */
const LABELS: Readonly<Record<StateLabel, { readonly color: string; readonly description: string }>> = {
  'maestro-queued': { color: 'c5def5', description: 'Maestro will start on this' },
  'maestro-running': { color: '1d76db', description: 'Maestro is working on this' },
  'maestro-waiting': { color: 'fbca04', description: 'Maestro is waiting, see its comment' },
  'maestro-done': { color: '0e8a16', description: 'Maestro is done: its pull request can be reviewed' },
  'maestro-failed': { color: 'd93f0b', description: 'Maestro could not finish, see its comment' },
  'maestro-stopped': { color: 'bfbfbf', description: 'Maestro was stopped here' },
};

/** Makes the verbs about issues, which are also those about a pull request's thread. */
export function createIssues(context: ForgeContext) {
  const { client } = context;
  const pause = (attempt: number): Promise<void> => client.pause(attempt);
  const made = new Set<string>();

  async function issue(repository: Repository, number: number): Promise<IssueState | undefined> {
    const reply = await client.find(repository, `read #${number}`, (github, at) =>
      github.rest.issues.get({ ...at, issue_number: number }),
    );
    if (reply === undefined) return undefined;
    const { title, body, state, user, pull_request, labels } = reply.data;
    return {
      number,
      title,
      body: body ?? '',
      open: state === 'open',
      author: user === null ? GHOST : { id: user.id, login: user.login },
      isPullRequest: pull_request !== undefined,
      labels: labels.map((label) => (typeof label === 'string' ? label : (label.name ?? '')).toLowerCase()),
    };
  }

  function replaceIssueBody(repository: Repository, number: number, expected: string, body: string): Promise<boolean> {
    /** Whether it is what is wanted; undefined while it can become so. */
    const stands = (current: string | undefined): boolean | undefined => {
      if (current === body) return true;
      return current === expected ? undefined : false;
    };
    return context.serially(`issue/${repository.id}/${number}`, () =>
      ensure({
        pause,
        find: async () => stands((await issue(repository, number))?.body),
        make: async () => {
          const { data } = await client.write(repository, 'tick', `edit #${number}`, async (github, at) => {
            // A write may have waited long for its turn: between this look and the edit nothing is waited for.
            const found = await github.rest.issues.get({ ...at, issue_number: number });
            const isThere = stands(found.data.body ?? '');
            if (isThere !== undefined) return { ...found, data: { isThere } };
            const written = await github.rest.issues.update({ ...at, issue_number: number, body });
            return { ...written, data: { isThere: true } };
          });
          return data.isThere;
        },
      }),
    );
  }

  /**
   * Takes our other labels off one by one and adds the one wanted: usually one request each. Replacing all labels at once would
   * be a single request, but would also take off what a person put on in the meantime.
   */
  function setStateLabel(repository: Repository, number: number, state: StateLabel | undefined): Promise<void> {
    return context.serially(`labels/${repository.id}/${number}`, async () => {
      const { data } = await client.read(repository, `list the labels of #${number}`, (github, at) =>
        github.rest.issues.listLabelsOnIssue({ ...at, issue_number: number, per_page: 100 }),
      );
      const present = data.map(({ name }) => name);
      for (const name of present) {
        if (isStateLabel(name) && name !== state) await takeOff(repository, number, name);
      }
      if (state === undefined || present.includes(state)) return;
      await ensureLabel(repository, state);
      await repeatedly('label', `add label ${state} to #${number}`, repository, (github, at) =>
        github.rest.issues.addLabels({ ...at, issue_number: number, labels: [state] }),
      );
    });
  }

  async function takeOff(repository: Repository, number: number, name: StateLabel): Promise<void> {
    try {
      await repeatedly('label', `take label ${name} off #${number}`, repository, (github, at) =>
        github.rest.issues.removeLabel({ ...at, issue_number: number, name }),
      );
    } catch (error) {
      // Gone already is as good as taken off.
      if (!isKind(error, 'gone')) throw error;
    }
  }

  async function ensureLabel(repository: Repository, name: StateLabel): Promise<void> {
    const key = `${repository.id}/${name}`;
    if (made.has(key)) return;
    await ensure({
      pause,
      find: () =>
        client.find(repository, `read label ${name}`, (github, at) => github.rest.issues.getLabel({ ...at, name })),
      make: () =>
        client.write(repository, 'label', `add label ${name}`, (github, at) =>
          github.rest.issues.createLabel({ ...at, name, ...LABELS[name] }),
        ),
    });
    made.add(key);
  }

  async function react(repository: Repository, target: ReactionTarget, content: Reaction): Promise<void> {
    if (target.kind === 'issue') {
      await repeatedly('reaction', `react to #${target.number}`, repository, (github, at) =>
        github.rest.reactions.createForIssue({ ...at, issue_number: target.number, content }),
      );
      return;
    }
    await repeatedly('reaction', `react to comment ${target.id}`, repository, (github, at) =>
      github.rest.reactions.createForIssueComment({ ...at, comment_id: target.id, content }),
    );
  }

  /** A write that GitHub itself makes only once however often it is sent. */
  async function repeatedly(
    effect: EffectName,
    what: string,
    repository: Repository,
    call: Parameters<typeof client.write<unknown>>[3],
  ): Promise<void> {
    await ensure({
      pause,
      find: () => Promise.resolve(undefined),
      make: () => client.write(repository, effect, what, call),
    });
  }

  return { issue, replaceIssueBody, setStateLabel, react };
}

function isStateLabel(name: string): name is StateLabel {
  return Object.hasOwn(LABELS, name);
}
