import type { Errand, Job, LaneRef, Place } from './runner.ts';

const NAME = /^[a-z0-9][a-z0-9-]*$/;

/** Refuses a name of a `kind` that is not `[a-z0-9-]`, 1 to `longest` characters: names become paths, labels and container names. */
export function requireName(kind: string, name: string, longest: number): void {
  if (name.length > longest || !NAME.test(name)) {
    throw new TypeError(`The ${kind} name '${name}' is not made of 1 to ${longest} of a-z, 0-9 and '-'.`);
  }
}

/** Refuses a place whose names could not be what they should: a bug of the caller's, thrown as `TypeError`. */
export function requirePlace(place: Pick<Place, 'name' | 'lane'>): void {
  requireName('job', place.name, 120);
  requireName('lane', place.lane.name, 60);
}

/** Refuses an errand without a command, or on a lane that can't have that name. */
export function requireErrand(errand: Errand): void {
  requireName('lane', errand.lane.name, 60);
  if (errand.argv.length === 0) throw new TypeError(`An errand on the lane ${errand.lane.name} has no command`);
}

/** Name of a lane's keeper among the jobs: the same at every try, so that an earlier one's is replaced. */
export function keeperOf(lane: Pick<LaneRef, 'name'>): string {
  return `${lane.name}-keeper`;
}

/** Refuses a job whose names, files or command could not be what they should: a bug of the caller's, thrown as `TypeError`. */
export function requireJob(job: Job): void {
  requirePlace(job);
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
