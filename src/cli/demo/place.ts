import type { ProviderId } from '../../providers/ids.ts';
import { ensureAgentImage, NoImageError } from '../image.ts';
import type { WorldOptions } from './world.ts';

/** Where agents run, said aloud. Undefined when what was asked for can't be had. */
export async function chooseRunner(
  options: { readonly provider: ProviderId; readonly runner?: 'docker' | 'local' },
  say: (line: string) => void,
): Promise<WorldOptions['runner'] | undefined> {
  if (options.runner === 'local') {
    say(
      `Runner: local. Agents run on this machine without any isolation${options.provider === 'scripted' ? ' (fine here: the agent is scripted)' : ''}.`,
    );
    return { name: 'local' };
  }
  try {
    const agents = options.provider === 'scripted' ? 'none' : options.provider;
    const image = await ensureAgentImage({ agents, onProgress: (line) => say(`  ${line}`) });
    say(`Runner: docker, image ${image}. Each session gets a hardened container without a network.`);
    return { name: 'docker', image };
  } catch (error) {
    if (!(error instanceof NoImageError)) throw error;
    if (options.runner === 'docker' || options.provider !== 'scripted') {
      say(`This demonstration needs Docker, and it can't be had: ${error.message}`);
      return undefined;
    }
    say(
      `Runner: local, because Docker can't be had (${error.message}). Agents run on this machine without any isolation.`,
    );
    return { name: 'local' };
  }
}
