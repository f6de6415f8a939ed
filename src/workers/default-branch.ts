import { FILE_MODE } from '../domain/file-mode.ts';
import { filesOf, readBlob, type TreeFile } from '../git/tree.ts';
import type { HeldRun } from './held-run.ts';
import type { RunScope } from './record.ts';

/** What a run's repository held on the default branch when the run began: what may be believed of it (promise P10). */
export interface DefaultBranch {
  readonly files: readonly TreeFile[];
  /** Text of a file; undefined when it is not there, is no plain file, or is larger than anybody writes by hand (1 MB). */
  read(path: string): Promise<string | undefined>;
}

const LARGEST = 1024 * 1024;

/** Read once a run: the commit never changes. */
const known = new WeakMap<HeldRun, Promise<DefaultBranch>>();

/** The default branch as it was when the run was asked for. */
export async function defaultBranchOf(scope: Pick<RunScope, 'held' | 'mirror'>): Promise<DefaultBranch> {
  const before = known.get(scope.held);
  if (before !== undefined) return await before;
  const reading = readDefaultBranch(scope);
  known.set(scope.held, reading);
  reading.catch(() => known.delete(scope.held));
  return await reading;
}

async function readDefaultBranch({ held, mirror }: Pick<RunScope, 'held' | 'mirror'>): Promise<DefaultBranch> {
  const files = await filesOf(mirror, held.run.base.sha);
  const byPath = new Map(files.map((file) => [file.path, file]));
  return {
    files,
    async read(path) {
      const file = byPath.get(path);
      if (file === undefined || file.mode === FILE_MODE.link) return undefined;
      const bytes = await readBlob(mirror, file.oid);
      return bytes.length > LARGEST ? undefined : new TextDecoder().decode(bytes);
    },
  };
}
