import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { around } from '../../telemetry/failpoint.ts';
import type { Log } from '../../telemetry/log.ts';
import { InfrastructureError, type ImageChoice } from '../runner.ts';
import { createTurns } from '../turns.ts';
import { ask, statusOf, wordsOf } from './engine.ts';
import { tarOf } from './tar.ts';

const DEADLINE_MS = 30_000;

/** Pulling an image, or adding our layer to it, with packages from the network. */
const BUILD_MS = 20 * 60_000;

/**
 * Adds to an image what agents need of ours: git, socat and the like from the image's own packages if they are missing, the agents and
 * the Node they run on, the directories that are mounted over, and a user with our number if it has none. What the image has stays:
 * its tools, its user, its Node. No file keeps a setuid or setgid bit.
 */
const LAYER = String.raw`
USER 0:0
RUN set -eu; missing=; \
    for tool in bash git socat tar ps grep find; do command -v "$tool" >/dev/null || missing="$missing $tool"; done; \
    if [ -n "$missing" ]; then \
      if command -v apt-get >/dev/null; then \
        apt-get update; \
        DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends bash ca-certificates findutils git grep procps socat tar; \
        rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*; \
      elif command -v apk >/dev/null; then apk add --no-cache bash ca-certificates findutils gcompat git grep libstdc++ procps socat tar; \
      elif command -v dnf >/dev/null; then dnf install -y bash ca-certificates findutils git-core grep procps-ng socat tar; \
      elif command -v microdnf >/dev/null; then microdnf install -y bash ca-certificates findutils git-core grep procps-ng socat tar; \
      else echo "this image lacks$missing, and has no package manager we know" >&2; exit 1; fi; \
    fi
COPY --from=maestro-agents /opt/ /opt/
COPY --from=maestro-agents /usr/local/bin/node /opt/maestro/bin/node
RUN set -eu; mkdir -p /usr/local/bin; \
    link() { if [ -e "$1" ] && ! command -v "$2" >/dev/null; then ln -sf "$1" "/usr/local/bin/$2"; fi; }; \
    link /opt/agents/claude-code/claude claude; link /opt/agents/codex/bin/codex codex; \
    link /opt/agents/opencode/opencode opencode; link /opt/agents/factory-droid/droid droid; \
    link /opt/agents/copilot/copilot copilot; link /opt/maestro/bin/node node; \
    if [ -e /opt/agents/gemini/bin/gemini ]; then \
      printf '#!/bin/sh\nexec /opt/maestro/bin/node /opt/agents/gemini/bin/gemini "$@"\n' > /usr/local/bin/gemini; \
      chmod 0755 /usr/local/bin/gemini; \
    fi; \
    if ! grep -q '^[^:]*:[^:]*:1000:' /etc/passwd; then \
      echo 'agent:x:1000:1000::/home/agent:/bin/bash' >> /etc/passwd; \
      grep -q '^[^:]*:[^:]*:1000:' /etc/group || echo 'agent:x:1000:' >> /etc/group; \
    fi; \
    mkdir -p /lane /mirror /tree /run/maestro /home/agent; \
    chown 1000:1000 /lane /home/agent; \
    git config --system --replace-all safe.directory '*'; \
    git config --system user.name 'Maestro agent'; git config --system user.email 'agent@maestro.invalid'; \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} +
WORKDIR /lane
USER 1000:1000
`;

/** An image that jobs can run in. */
export interface OwnImage {
  readonly id: string;
  /** Its own environment: where its tools are, above all. Without HOME. */
  readonly env: Readonly<Record<string, string>>;
}

/** Images other than the runner's own. */
export interface OwnImages {
  /** The image of a choice; one of a repository's own gets our layer first, once for every pair of images. `standard` is ours. */
  find(choice: ImageChoice, standard: string): Promise<OwnImage>;
}

export function createOwnImages(options: {
  readonly docker: Docker;
  readonly log: Log;
  /** For packages that a layer fetches: proxies of this machine. */
  readonly env: Readonly<Record<string, string | undefined>>;
}): OwnImages {
  const { docker, log } = options;
  const inTurn = createTurns();

  async function inspect(reference: string): Promise<Docker.ImageInspectInfo | undefined> {
    try {
      return await ask('look at an image', DEADLINE_MS, () => docker.getImage(reference).inspect());
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async function required(reference: string, pull: boolean): Promise<Docker.ImageInspectInfo> {
    const there = await inspect(reference);
    if (there !== undefined) return there;
    if (!pull)
      throw new InfrastructureError(
        `The image ${reference} is not on the Docker engine. Build it with \`npm run image\`, an image for each agent with \`npm run image -- --per-provider\`.`,
      );
    log.info({ image: reference }, 'pulling an image');
    await follow(docker.pull(reference), `The image ${reference} can't be pulled`);
    const pulled = await inspect(reference);
    if (pulled === undefined) throw new InfrastructureError(`The image ${reference} is not there after it was pulled.`);
    return pulled;
  }

  async function follow(starting: Promise<NodeJS.ReadableStream>, failure: string): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      const fail = (error: unknown): void => {
        reject(new InfrastructureError(`${failure}: ${wordsOf(error)}`, { cause: error }));
      };
      starting.then(
        (stream) =>
          docker.modem.followProgress(stream, (error: Error | null, output: readonly { readonly error?: string }[]) => {
            const broken = error?.message ?? output.find((event) => event.error !== undefined)?.error;
            if (broken === undefined) resolve();
            else fail(broken);
          }),
        fail,
      );
    });
    await ask('make an image', BUILD_MS, () => done);
  }

  /** The repository's image with our layer, made if it is not there. */
  async function layered(own: Docker.ImageInspectInfo, agents: Docker.ImageInspectInfo, name: string): Promise<string> {
    const inputs = createHash('sha256').update(`${own.Id}\0${agents.Id}\0${LAYER}`).digest('hex');
    const reference = `maestro-own:${inputs.slice(0, 16)}`;
    if ((await inspect(reference)) !== undefined) return reference;
    log.info({ image: name, reference }, "adding what agents need to a repository's own image");
    const dockerfile = `FROM ${agents.Id} AS maestro-agents\nFROM ${own.Id}\n${LAYER}`;
    const networks = await ask('list networks', DEADLINE_MS, () => docker.listNetworks());
    const hasBridge = networks.some((network) => network.Name === 'bridge');
    const building = docker.buildImage(Readable.from([tarOf({ Dockerfile: dockerfile }, 0)]), {
      t: reference,
      labels: { 'maestro.app': 'maestro', 'maestro.own': name },
      buildargs: proxies(options.env),
      forcerm: true,
      ...(hasBridge ? {} : { networkmode: 'host' }),
    });
    await around('lane', { perform: async () => await follow(building, `Our layer can't be added to ${name}`) });
    return reference;
  }

  return {
    find: (choice, standard) =>
      inTurn(JSON.stringify([choice.agents, choice.own]), async () => {
        const agents = await required(choice.agents ?? standard, false);
        if (choice.own === undefined) return { id: agents.Id, env: {} };
        const own = await required(choice.own, true);
        const made = await required(await layered(own, agents, choice.own), false);
        return { id: made.Id, env: environmentOf(made) };
      }),
  };
}

function environmentOf(image: Docker.ImageInspectInfo): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (image.Config.Env ?? []).flatMap((line) => {
      const [, name = '', value = ''] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(line) ?? [];
      return name === '' || name === 'HOME'
        ? []
        : [[name, name === 'PATH' ? `${value}:/usr/local/bin:/usr/bin:/bin` : value]];
    }),
  );
}

/** The engine knows these names and keeps them out of the image and its history. */
function proxies(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
