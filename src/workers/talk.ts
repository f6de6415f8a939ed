import { readFile } from 'node:fs/promises';
import { endsTurn, RECORDED, understand, type Reply, type Spoken, type Word } from '../domain/talk.ts';
import type { Wire } from '../gateway/gateway.ts';
import { readProposal } from '../playbook/proposal.ts';
import type { JobFiles } from '../runners/runner.ts';
import type { SessionAccount } from './account.ts';

/** What one session says to us while it works. */
export interface Talk {
  /** Takes a word in and gives what the agent is told. */
  readonly hear: (spoken: Spoken) => Reply;
  /** What was taken in, in order. */
  readonly words: () => readonly Word[];
  /** Aborted when the agent has said what ends its turn and did not end within the time it has for that. */
  readonly overdue: AbortSignal;
}

/** A session's wire, with what is said to us over it and who pays for it. */
export interface SessionWire extends Wire {
  readonly talk: Talk;
  readonly account: SessionAccount;
}

/** Listens to one session. `partingMs` is how long it may go on after a word that ends its turn. */
export function createTalk(partingMs: number): Talk {
  const overdue = new AbortController();
  let words: readonly Word[] = [];
  return {
    hear(spoken) {
      const understood = understand(spoken, words, readProposal);
      if ('problem' in understood) return { ok: false, text: understood.problem };
      words = [...words, understood.word];
      if (endsTurn(understood.word)) setTimeout(() => overdue.abort(), partingMs).unref();
      return { ok: true, text: RECORDED[spoken.verb] };
    },
    words: () => words,
    overdue: overdue.signal,
  };
}

/** Where below HOME the command `maestro` is; `kept-sessions.ts` has the job look for commands there. */
export const COMMANDS = '.maestro/bin';

let command: Promise<string> | undefined;

/** What a session needs to speak to us: the command, and where it says it. */
export async function speaking(
  gatewayUrl: string,
  { placeholder }: Pick<Wire, 'placeholder'>,
): Promise<{ readonly env: Readonly<Record<string, string>>; readonly files: JobFiles }> {
  command ??= readFile(new URL('../../docker/agent-image/maestro.sh', import.meta.url), 'utf8');
  return {
    env: { MAESTRO_URL: gatewayUrl, MAESTRO_KEY: placeholder },
    // CLIs that start their shells as login shells would lose PATH to the image's own.
    files: { [`${COMMANDS}/maestro`]: await command, '.profile': `PATH="$HOME/${COMMANDS}:$PATH"\n` },
  };
}
