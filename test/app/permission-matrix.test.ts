import { describe, expect, it } from 'vitest';
import { ForgeError, type Role } from '../../src/forge/forge.ts';
import { commentPayload, labelPayload, pushPayload, sha } from './payloads.ts';
import { createWorld, type World } from './world.ts';

/** Threat S05: nine answers to "what may this person do here", eight ways to ask for a run. */
const ROLES: readonly (Role | ForgeError)[] = [
  'admin',
  'maintain',
  'write',
  'triage',
  'read',
  'none',
  new ForgeError('gone', '404'),
  new ForgeError('unavailable', '502'),
  new ForgeError('limited', '429', { retryAt: 1 }),
];

const PATH = '.maestro/playbooks/a.md';
const FILES = { [PATH]: '- [ ] one\n' };

const TRIGGERS: Readonly<Record<string, (world: World) => Promise<string>>> = {
  label: (world) => world.deliver('issues', labelPayload('labeled', 'maestro')),
  'label with a provider': (world) => world.deliver('issues', labelPayload('labeled', 'maestro:codex')),
  'label on a checklist': (world) => world.deliver('issues', labelPayload('labeled', 'maestro', { body: '- [ ] a' })),
  'label on an issue naming a playbook': (world) =>
    world.deliver('issues', labelPayload('labeled', 'maestro', { body: PATH })),
  command: (world) => world.deliver('issue_comment', commentPayload('/maestro run')),
  'command with a playbook': (world) => world.deliver('issue_comment', commentPayload('/maestro run playbook=a.md')),
  'command with a provider': (world) => world.deliver('issue_comment', commentPayload('/maestro run provider=codex')),
  push: (world) => world.deliver('push', pushPayload({ before: sha('before'), after: 'aa'.repeat(20) })),
};

describe.each(ROLES.map((role) => [role instanceof ForgeError ? `(${role.kind})` : role, role] as const))(
  'somebody whose role is %s',
  (_, role) => {
    const isWriter = role === 'admin' || role === 'maintain' || role === 'write';

    it.each(Object.keys(TRIGGERS))(`${isWriter ? 'starts one run' : 'starts nothing'} by %s`, async (trigger) => {
      const world = await createWorld();
      world.roles.set('wanda', role);
      world.commits.set('aa'.repeat(20), FILES).set(sha('before'), {});
      await TRIGGERS[trigger]!(world);
      expect(await world.runs()).toHaveLength(isWriter ? 1 : 0);
      if (isWriter) return;
      const [delivery] = world.store.deliveries();
      expect(delivery?.settled).toBe(!(role instanceof ForgeError));
      const answers = role instanceof ForgeError || trigger === 'push' ? 0 : 1;
      expect(world.comments.size).toBe(answers);
      expect(world.reactions).toHaveLength(answers);
    });
  },
);
