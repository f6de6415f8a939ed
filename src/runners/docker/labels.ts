import type { RunId } from '../../domain/ids.ts';
import type { JobOwner, Place } from '../runner.ts';

const APP = 'maestro.app';
const NAMESPACE = 'maestro.namespace';
export const LANE = 'maestro.lane';
const RUN = 'maestro.run';
const EPOCH = 'maestro.epoch';
export const JOB = 'maestro.job';
/** On a tree and its mark: what is in it, and whose trees it belongs to. */
export const TREE = 'maestro.tree';
export const TREE_GROUP = 'maestro.tree.group';
/** On a tree's mark: its size in kB, and the volume it is in. */
export const TREE_KB = 'maestro.tree.kb';
export const TREE_VOLUME = 'maestro.tree.volume';
/** On a lane: the volume of the tree it starts from. */
export const LANE_TREE = 'maestro.lane.tree';
/** On the name a run's lane goes by when it was made before its run was known: the lane that it is. */
export const LANE_AT = 'maestro.lane.at';

/** Labels that say: this installation's. Nothing without them is ever touched. */
export function ownLabels(namespace: string): Readonly<Record<string, string>> {
  return { [APP]: 'maestro', [NAMESPACE]: namespace };
}

/** The engine's filter for what carries `ownLabels`, and `more` labels. */
export function ownFilter(namespace: string, more: Readonly<Record<string, string>> = {}): { label: string[] } {
  return { label: Object.entries({ ...ownLabels(namespace), ...more }).map(([name, value]) => `${name}=${value}`) };
}

/** Whether `labels` carry `ownLabels`. */
export function isOurs(namespace: string, labels: Readonly<Record<string, string>> | undefined | null): boolean {
  return Object.entries(ownLabels(namespace)).every(([name, value]) => labels?.[name] === value);
}

/** All labels of a job's container. */
export function jobLabels(namespace: string, job: Place): Record<string, string> {
  return {
    ...ownLabels(namespace),
    ...ownerLabels(job.owner),
    [LANE]: job.lane.name,
    [JOB]: job.name,
  };
}

/** Labels that say whose something is; `ownerOf` reads them. */
export function ownerLabels({ runId, epoch }: JobOwner): Readonly<Record<string, string>> {
  return { [RUN]: runId, [EPOCH]: String(epoch) };
}

/** Who a container's labels say it belongs to; undefined when they are not whole. */
export function ownerOf(labels: Readonly<Record<string, string>>): JobOwner | undefined {
  const runId = labels[RUN];
  const epoch = Number(labels[EPOCH] ?? Number.NaN);
  return runId === undefined || !Number.isInteger(epoch) ? undefined : { runId: runId as RunId, epoch };
}

/** Name of a lane's volume, or of a job's container: prefix, installation, name. */
export function nameFor(namespace: string, name: string): string {
  return `maestro-${namespace}-${name}`;
}
