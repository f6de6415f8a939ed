import { sessionHosts } from '../domain/egress.ts';
import type { SessionId, TaskKey } from '../domain/ids.ts';
import { openAccount } from './account.ts';
import { noteAnswer } from './circuits.ts';
import { configurationOf, serverHosts } from './configuration.ts';
import type { RunScope } from './record.ts';
import { createTalk, type SessionWire } from './talk.ts';

/** Opens the wire of a session at `task`. `undefined` when the provider needs a model key and none is configured. */
export async function openWire(scope: RunScope, session: SessionId, task: TaskKey): Promise<SessionWire | undefined> {
  const { deps, provider, endpoint } = scope;
  if (provider.protocol !== undefined && endpoint === undefined) return undefined;
  const { servers } = await configurationOf(scope);
  const account = openAccount(scope, session, task);
  const talk = createTalk(deps.settings.session.partingMs);
  const wire = await deps.gateway.open({
    session,
    listen: deps.runner.wire,
    hosts: [...provider.hosts, ...hostsOf(scope), ...serverHosts(servers)],
    model: endpoint,
    onAnswer: () => void noteAnswer(scope),
    onWord: talk.hear,
    budget: {},
    account,
  });
  return { ...wire, talk, account };
}

/** Hosts the operator lets this run reach, as far as its playbook wants them. */
export function hostsOf({ deps, provider, held }: RunScope): readonly string[] {
  const { repository, settings } = held.run;
  const { hosts, playbookHosts: mayAdd } = deps.settings.session;
  return sessionHosts(hosts, { provider: provider.id, repository, asked: settings.hosts, mayAdd });
}
