import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';

/** Something the person has to mend before the image can be built; its message says what. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}

/** Takes one line of progress. */
export type Say = (line: string) => void;

/** Throws `ImageError` when no Docker engine answers. */
export async function checkEngine(docker: Docker): Promise<void> {
  try {
    await Promise.race([docker.ping(), silence(10_000)]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImageError(
      `No Docker engine answers (${reason}). Start Docker, or set DOCKER_HOST to where it listens, and see that you may use it.`,
    );
  }
}

async function silence(ms: number): Promise<never> {
  await delay(ms, undefined, { ref: false });
  throw new Error(`silent for ${ms / 1000} s`);
}

/** Labels of an image on the engine; undefined when it is not there. */
export async function imageLabels(docker: Docker, reference: string): Promise<Record<string, string> | undefined> {
  try {
    const image = await docker.getImage(reference).inspect();
    return image.Config?.Labels ?? {};
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

/** Whether the engine has a network of its own for a build. */
export async function hasBridge(docker: Docker): Promise<boolean> {
  const networks = await docker.listNetworks();
  return networks.some((network) => network.Name === 'bridge');
}

interface ProgressEvent {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly error?: string;
}

/** Follows a build, pull or import to its end, telling its lines. Throws `ImageError` with the engine's words when it fails. */
export async function follow(docker: Docker, stream: NodeJS.ReadableStream, say: Say): Promise<void> {
  const events = await new Promise<readonly ProgressEvent[]>((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error: Error | null, output: ProgressEvent[]) => {
        if (error) reject(new ImageError(error.message));
        else resolve(output);
      },
      (event: ProgressEvent) => {
        const text = event.stream?.trimEnd();
        if (text) say(text);
        else if (event.status && event.id === undefined) say(event.status);
      },
    );
  });
  const failed = events.find((event) => event.error !== undefined);
  if (failed?.error !== undefined) throw new ImageError(failed.error);
}
