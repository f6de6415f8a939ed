import { readFile } from 'node:fs/promises';
import { createProviders } from '../src/providers/registry.ts';
import { ImageError } from './image-engine.ts';

/** Name of the last stage: what the image is. */
export const IMAGE_STAGE = 'agents';

/** What an image is built from, beside the other files of its directory. */
export interface Recipe {
  readonly dockerfile: string;
  /** Build arguments: the pinned version of each agent, as `<AGENT>_VERSION`. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Package version of each agent that has a CLI of its own, by provider id, in the order of their layers. */
const PINNED: ReadonlyMap<string, string> = new Map(
  Object.values(createProviders({ scriptedAgent: '' })).flatMap(({ id, cli }) =>
    cli === undefined ? [] : [[id, cli.version] as const],
  ),
);

/** The agents a person named: provider ids separated by commas, `all` or `none`. Throws `ImageError` for a name there is not. */
export function chooseAgents(words: string): readonly string[] {
  if (words === 'all') return [...PINNED.keys()];
  const wanted = words.split(',').filter((word) => word !== '' && word !== 'none');
  const unknown = wanted.find((word) => !PINNED.has(word));
  if (unknown !== undefined)
    throw new ImageError(
      `There is no agent '${unknown}': name some of ${[...PINNED.keys()].join(', ')}, or all, or none.`,
    );
  return [...PINNED.keys()].filter((id) => wanted.includes(id));
}

/**
 * The Dockerfile with only the stages of `agents` and a last stage that puts them together: one layer each, so that adding an
 * agent reuses the layers before it, and building one agent's image fetches no other.
 */
export async function composeImage(dockerfile: URL, agents: readonly string[]): Promise<Recipe> {
  const stages = (await readFile(dockerfile, 'utf8')).split(/^(?=(?:#.*\n)*FROM )/m);
  const kept = stages.filter((stage) => {
    const agent = /^(.+)-install$/.exec(nameOf(stage))?.[1];
    return agent === undefined ? agents.length > 0 || nameOf(stage) !== 'npm' : agents.includes(agent);
  });
  const missing = agents.find((agent) => !kept.some((stage) => nameOf(stage) === `${agent}-install`));
  if (missing !== undefined) throw new ImageError(`${dockerfile.pathname} has no stage ${missing}-install.`);
  const last = [
    `FROM tools AS ${IMAGE_STAGE}`,
    'USER 0:0',
    ...agents.map((agent) => `COPY --from=${agent}-install /out/ /`),
    'COPY scripted-agent.mjs /opt/maestro/scripted-agent.mjs',
    'USER 1000:1000',
  ];
  const versions = agents.map((agent) => [
    `${agent.toUpperCase().replaceAll('-', '_')}_VERSION`,
    PINNED.get(agent) ?? '',
  ]);
  return { dockerfile: `${kept.join('')}\n${last.join('\n')}\n`, versions: Object.fromEntries(versions) };
}

function nameOf(stage: string): string {
  return /^FROM \S+ AS (\S+)$/m.exec(stage)?.[1] ?? '';
}
