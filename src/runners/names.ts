import type { Job } from './runner.ts';

const NAME = /^[a-z0-9][a-z0-9-]*$/;

/** Refuses a name of a `kind` that is not `[a-z0-9-]`, 1 to `longest` characters: names become paths, labels and container names. */
export function requireName(kind: string, name: string, longest: number): void {
  if (name.length > longest || !NAME.test(name)) {
    throw new TypeError(`The ${kind} name '${name}' is not made of 1 to ${longest} of a-z, 0-9 and '-'.`);
  }
}

/** Refuses a job whose names, files or command could not be what they should: a bug of the caller's, thrown as `TypeError`. */
export function requireJob(job: Job): void {
  requireName('job', job.name, 120);
  requireName('lane', job.lane.name, 60);
  for (const path of Object.keys(job.files ?? {})) requireFilePath(path);
  if (job.argv.length === 0) throw new TypeError(`The job ${job.name} has no command`);
}

/** Refuses a path of `Job.files` that does not stay below HOME, or is longer than the 100 bytes a tar header holds. */
function requireFilePath(path: string): void {
  const parts = path.split('/');
  const stays = parts.every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\0');
  if (!stays || Buffer.byteLength(path) > 100) {
    throw new TypeError(
      `'${path}' can't be put into a job's HOME: it must be a plain relative path of at most 100 bytes.`,
    );
  }
}
