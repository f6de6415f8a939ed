import type Docker from 'dockerode';
import type { Log } from '../../telemetry/log.ts';
import { InfrastructureError } from '../runner.ts';
import { ask, statusOf, type Patience } from './engine.ts';
import { olderThanKnownEscapes } from './runc-advisories.ts';

/** What was found out about the engine and the image before the first job. */
export interface Readiness {
  /** The image's id: containers are made from this, whatever its tag points to later. */
  readonly imageId: string;
  readonly engine: string;
  /** Whether the engine's kernel can limit swap. */
  readonly swapLimit: boolean;
}

/** Looks at engine, runtime and image. Throws `InfrastructureError` saying what to do when jobs can't run. */
export async function inspectReadiness(options: {
  readonly docker: Docker;
  readonly image: string;
  readonly runtime: string | undefined;
  readonly patience: Patience;
  readonly log: Log;
}): Promise<Readiness> {
  const { docker, image, runtime, log } = options;
  const { callMs } = options.patience;
  const version = await ask('say its version', callMs, () => docker.version());
  const info = (await ask('describe itself', callMs, () => docker.info())) as EngineInfo;
  requireLimits(info);
  if (runtime !== undefined && info.Runtimes?.[runtime] === undefined) {
    throw new InfrastructureError(
      `The Docker engine has no runtime '${runtime}', only ${Object.keys(info.Runtimes ?? {}).join(', ')}. Add it to the engine's daemon.json.`,
    );
  }
  const runc = version.Components?.find((component) => component.Name === 'runc')?.Version;
  if (runtime === undefined && runc !== undefined && olderThanKnownEscapes(runc)) {
    log.warn(
      { runc },
      'this runc is older than the fixes of known container escapes, unless your distribution patched it',
    );
  }
  const found = await findImage(docker, image, callMs);
  return {
    imageId: found.Id,
    engine: `docker ${version.Version}${runtime === undefined ? '' : ` with ${runtime}`}`,
    swapLimit: info.SwapLimit !== false,
  };
}

interface EngineInfo {
  readonly MemoryLimit?: boolean;
  readonly PidsLimit?: boolean;
  readonly CpuCfsQuota?: boolean;
  readonly SwapLimit?: boolean;
  readonly Runtimes?: Readonly<Record<string, unknown>>;
}

function requireLimits(info: EngineInfo): void {
  const missing = (['MemoryLimit', 'PidsLimit', 'CpuCfsQuota'] as const).filter((name) => info[name] === false);
  if (missing.length === 0) return;
  throw new InfrastructureError(
    `The Docker engine can't enforce ${missing.join(', ')}: agents would be unlimited. Enable these cgroup controllers.`,
  );
}

/** What the engine knows of the image `reference`. Throws `InfrastructureError` when it is not there. */
async function findImage(docker: Docker, reference: string, callMs: number): Promise<Docker.ImageInspectInfo> {
  try {
    return await ask('look at an image', callMs, () => docker.getImage(reference).inspect());
  } catch (error) {
    throw statusOf(error) === 404 ? missingImage(reference, error) : error;
  }
}

/** The error for an image that is not on the engine. */
export function missingImage(reference: string, cause: unknown): InfrastructureError {
  return new InfrastructureError(
    `The image ${reference} is not on the Docker engine. Build it with \`npm run image\`.`,
    { cause },
  );
}
