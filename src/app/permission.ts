import type { Repository } from '../domain/repository.ts';
import { ignoredSender, type Sender } from '../domain/webhook.ts';
import { mayWrite } from '../forge/forge.ts';
import type { AppDeps } from './deps.ts';

/** Whether somebody may start and steer runs (promise P9). `ignored` gets no answer at all: it is ourselves, or a foreign bot. */
export type Permission =
  | { readonly kind: 'granted' }
  | { readonly kind: 'denied'; readonly role: string }
  | { readonly kind: 'ignored'; readonly reason: string };

/**
 * Asks GitHub for a sender's role. Rejects with `ForgeError` unless the answer is clear: the delivery is then tried again, and
 * nothing starts meanwhile.
 */
export async function permissionOf(
  deps: Pick<AppDeps, 'forge' | 'rules'>,
  repository: Repository,
  sender: Sender,
): Promise<Permission> {
  const self = await deps.forge.self();
  const reason = ignoredSender(sender, { selfId: self.id, allowedBots: deps.rules.allowedBots });
  if (reason !== undefined) return { kind: 'ignored', reason };
  // A bot is no collaborator, so GitHub has no role for it: the operator's list is its permission.
  if (sender.bot) return { kind: 'granted' };
  const role = await deps.forge.role(repository, sender.login);
  return mayWrite(role) ? { kind: 'granted' } : { kind: 'denied', role };
}
