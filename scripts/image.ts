/**
 * Builds the image agents run in, and prints its reference as the last line of standard output. Progress goes to standard error.
 *
 *   npm run image -- [--quiet] [--agents NAME,NAME…|all|none] [--tag TAG] [--base IMAGE] [--from-debian]
 *
 * The image holds the agents named (all, when not said) and is also called `maestro-agent:TAG`: `latest` when not said; `--tag ''`
 * gives it no further name.
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
      'from-debian': { type: 'boolean', default: false },
    },
  });
  const recipe = await composeImage(new URL('Dockerfile', CONTEXT), chooseAgents(values.agents));
  const say: Say = (line) => {
    if (!values.quiet) process.stderr.write(`${line}\n`);
  };
  const docker = new Docker();
  const base = values['from-debian'] ? 'debian' : (values.base ?? 'default');
  const inputs = await hashInputs([base, recipe.dockerfile, JSON.stringify(recipe.versions)]);
  const reference = `maestro-agent:${inputs.slice(0, 12)}`;

  await checkEngine(docker);
  const labels = await imageLabels(docker, reference);
  if (labels?.[INPUTS_LABEL] === inputs) say(`${reference} is up to date.`);
  else await build({ docker, reference, inputs, recipe, base, say });
  // `latest` is what `MAESTRO_IMAGE` says when nobody sets it.
  if (values.tag !== '') await docker.getImage(reference).tag({ repo: 'maestro-agent', tag: values.tag });
  process.stdout.write(`${reference}\n`);
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
