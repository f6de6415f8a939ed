import { git } from './process.ts';
import { NO_OBJECT } from './objects.ts';

/** One ref's move. `before` and `after` are 40 zeros where the ref was or is not. */
export interface RefChange {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

/** What changed between two snapshots, by ref name. */
export function compareRefs(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): RefChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .map((ref) => ({ ref, before: before.get(ref) ?? NO_OBJECT, after: after.get(ref) ?? NO_OBJECT }))
    .filter((change) => change.before !== change.after);
}

/** Moves, makes or (with 40 zeros in `after`) deletes a ref, provided it still is at `before`. */
export async function moveRef(directory: string, change: RefChange): Promise<void> {
  const command =
    change.after === NO_OBJECT
      ? ['update-ref', '-d', change.ref, change.before]
      : ['update-ref', change.ref, change.after, change.before];
  await git(directory, command);
}
