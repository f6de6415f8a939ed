/**
 * Builds the image agents run in, and prints its reference as the last line of standard output. Progress goes to standard error.
 *
 *   npm run image -- [--quiet] [--agents NAME,NAME…|all|none] [--tag TAG] [--per-provider] [--base IMAGE] [--from-debian]
 *
 * The image holds the agents named (all, when not said) and is also called `maestro-agent:TAG`: `latest` when not said; `--tag ''`
 * gives it no further name. With `--per-provider` each of the agents gets an image of its own instead, called `maestro-agent:NAME`, which
 * is what `MAESTRO_IMAGE=maestro-agent:{provider}` asks for; they share all layers but their agent's.
 *
 * Where the normal base image can't be had (no image registry within reach), a base is made from Debian's packages and Node from
 * the npm registry: `--from-debian` asks for that straight away. Nothing is done when an image of the same inputs is there.
 */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import { NODE_VERSION, NPM_VERSION, ensureDebianBase } from './image-debian.ts';
import { IMAGE_STAGE, chooseAgents, composeImage, type Recipe } from './image-agents.ts';
import { ImageError, checkEngine, follow, hasBridge, imageLabels, type Say } from './image-engine.ts';
import { proxySettings, registryAccess } from './image-registry.ts';

const CONTEXT = new URL('../docker/agent-image/', import.meta.url);
const NORMAL_BASE = 'node:24-bookworm-slim';
const INPUTS_LABEL = 'maestro.inputs';

try {
  await main();
} catch (error) {
  if (!(error instanceof ImageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quiet: { type: 'boolean', default: false },
      base: { type: 'string' },
      agents: { type: 'string', default: 'all' },
      tag: { type: 'string', default: 'latest' },
      'per-provider': { type: 'boolean', default: false },
      'from-debian': { type: 'boolean', default: false },
    },
  });
  const agents = chooseAgents(values.agents);
  const say: Say = (line) => {
    if (!values.quiet) process.stderr.write(`${line}\n`);
  };
  const docker = new Docker();
  await checkEngine(docker);
  const base = values['from-debian'] ? 'debian' : (values.base ?? 'default');
  const wanted = values['per-provider']
    ? agents.map((agent) => ({ agents: [agent], tag: agent }))
    : [{ agents, tag: values.tag }];
  for (const image of wanted) process.stdout.write(`${await ensureImage({ docker, base, say, ...image })}\n`);
}

/** Makes sure the image with these agents is there, under `tag` as well unless that is empty. Gives its reference. */
async function ensureImage(of: {
  readonly docker: Docker;
  readonly base: string;
  readonly say: Say;
  readonly agents: readonly string[];
  readonly tag: string;
}): Promise<string> {
  const { docker, base, say, tag } = of;
  const recipe = await composeImage(new URL('Dockerfile', CONTEXT), of.agents);
  const inputs = await hashInputs([base, recipe.dockerfile, JSON.stringify(recipe.versions)]);
  const reference = `maestro-agent:${inputs.slice(0, 12)}`;
  const labels = await imageLabels(docker, reference);
  if (labels?.[INPUTS_LABEL] === inputs) say(`${reference} is up to date.`);
  else await build({ docker, reference, inputs, recipe, base, say });
  // `latest` is what `MAESTRO_IMAGE` says when nobody sets it.
  if (tag !== '') await docker.getImage(reference).tag({ repo: 'maestro-agent', tag });
  return reference;
}

/** Digest of everything that decides what the image holds, beside what the registries serve. */
async function hashInputs(words: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const word of [...words, NORMAL_BASE, NODE_VERSION, NPM_VERSION]) hash.update(`${word}\0`);
  for (const name of (await readdir(CONTEXT)).filter((name) => name !== 'Dockerfile').sort())
    hash.update(`${name}\0`).update(await readFile(new URL(name, CONTEXT)));
  return hash.digest('hex');
}

interface Build {
  readonly docker: Docker;
  readonly reference: string;
  readonly inputs: string;
  readonly recipe: Recipe;
  readonly base: string;
  readonly say: Say;
}

async function build({ docker, reference, inputs, recipe, base, say }: Build): Promise<void> {
  const baseImage = await chooseBase(docker, base, say);
  const context = await mkdtemp(join(tmpdir(), 'maestro-image-'));
  try {
    const access = await registryAccess(join(context, 'build-ca.crt'));
    await cp(CONTEXT, context, { recursive: true });
    await writeFile(join(context, 'Dockerfile'), recipe.dockerfile);
    say(`Building ${reference} on ${baseImage}`);
    const stream = await docker.buildImage(
      { context, src: await readdir(context) },
      {
        t: reference,
        target: IMAGE_STAGE,
        labels: { 'maestro.app': 'maestro', [INPUTS_LABEL]: inputs },
        buildargs: {
          ...proxySettings(process.env),
          ...access.buildArguments,
          BASE_IMAGE: baseImage,
          ...recipe.versions,
        },
        forcerm: true,
        // An engine for containers without a network may have none for a build either; the host's will do for that.
        ...((await hasBridge(docker)) ? {} : { networkmode: 'host' }),
      },
    );
    await follow(docker, stream, say);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** The image to build on: what was asked for, or the normal one if it can be had, or one made from Debian's packages. */
async function chooseBase(docker: Docker, base: string, say: Say): Promise<string> {
  if (base === 'debian') return ensureDebianBase(docker, say);
  const wanted = base === 'default' ? NORMAL_BASE : base;
  if ((await imageLabels(docker, wanted)) !== undefined) return wanted;
  try {
    say(`Pulling ${wanted}`);
    await follow(docker, await docker.pull(wanted), say);
    return wanted;
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    if (base !== 'default') throw new ImageError(`The base image ${wanted} is not here and can't be pulled: ${reason}`);
    say(`${wanted} can't be pulled (${reason}); making a base from Debian's packages instead.`);
    return ensureDebianBase(docker, say);
  }
}
