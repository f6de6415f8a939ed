import Docker from 'dockerode';
import { engineAt } from '../src/runners/docker/engine-address.ts';
import { createProviders } from '../src/providers/registry.ts';
import type { Bench } from './figure.ts';

/** What an image with one agent alone takes, as `npm run image -- --agents NAME` builds it: its layers in the image of all. */
export const images: Bench = async ({ components }) => {
  const docker = new Docker(engineAt(await components.dockerHost()));
  const image = await components.agentImage();
  const history = (await docker.getImage(image).history()) as readonly Layer[];
  const agents = Object.values(createProviders({ scriptedAgent: '' })).filter(({ cli }) => cli !== undefined);
  // Newest first; each agent's programs come in one layer, in the order of the registry.
  const layers = history.filter(({ CreatedBy }) => /COPY (?:dir:|\/out\/)/.test(CreatedBy)).toReversed();
  if (layers.length !== agents.length)
    throw new Error(`${image} has ${layers.length} layers of agents, not one for each`);
  const rest = history.reduce((sum, { Size }) => sum + Size, 0) - layers.reduce((sum, { Size }) => sum + Size, 0);
  return agents.map(({ id, cli }, at) => ({
    name: `image with ${id} alone`,
    ours: (rest + (layers[at]?.Size ?? Number.NaN)) / 1e6,
    baseline: undefined,
    unit: 'MB',
    target: { most: 1_000 },
    note: `${cli?.package ?? id} ${cli?.version ?? ''} is ${Math.round((layers[at]?.Size ?? Number.NaN) / 1e6)} MB of that; base, Node, git and build tools are ${Math.round(rest / 1e6)} MB`,
  }));
};

interface Layer {
  readonly CreatedBy: string;
  /** Bytes. */
  readonly Size: number;
}
