import { imageFor, imageOfProvider } from '../domain/own-image.ts';
import { codeSpan } from '../domain/report/untrusted-text.ts';
import { fullName } from '../domain/repository.ts';
import { isRecord, parseJsonWithComments } from '../playbook/json-with-comments.ts';
import { DEVCONTAINERS } from '../playbook/setup.ts';
import type { ImageChoice } from '../runners/runner.ts';
import { defaultBranchOf } from './default-branch.ts';
import type { RunScope } from './record.ts';

/** What the agents, checks and setup of a run work in; undefined for what everything works in. */
export async function imageOf(
  scope: Pick<RunScope, 'deps' | 'held' | 'mirror' | 'provider' | 'announcer'>,
): Promise<ImageChoice | undefined> {
  const { images } = scope.deps.settings;
  const repository = fullName(scope.held.run.repository);
  const rule = imageFor(images.rules, repository);
  const own = rule === 'devcontainer' ? await devcontainerImage(scope) : rule;
  const agents = imageOfProvider(images.agents, scope.provider.id);
  if (own === undefined && agents === images.agents) return undefined;
  return { agents, ...(own === undefined ? {} : { own }) };
}

/** The image a devcontainer names on the default branch. Building one from a Dockerfile of the repository's is not for us. */
async function devcontainerImage(scope: Pick<RunScope, 'held' | 'mirror' | 'announcer'>): Promise<string | undefined> {
  const branch = await defaultBranchOf(scope);
  for (const path of DEVCONTAINERS) {
    const config = parseJsonWithComments((await branch.read(path)) ?? '');
    if (!isRecord(config)) continue;
    const { image } = config;
    if (typeof image === 'string' && /^\w[\w./:@-]*$/.test(image)) return image;
    scope.announcer.note(`${codeSpan(path)} names no \`image\`, so Maestro's own was used.`);
  }
  return undefined;
}
