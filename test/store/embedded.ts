import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../src/store/migrate.ts';
import { openPglite } from '../../src/store/pglite.ts';

/** Directories for embedded databases, removed together. */
export interface EmbeddedDirectories extends AsyncDisposable {
  /** A directory with an empty, migrated database in it; a copy, because making one takes seconds. */
  make(): Promise<string>;
}

/** Makes one database to copy from. */
export async function embeddedDirectories(): Promise<EmbeddedDirectories> {
  const root = await mkdtemp(join(tmpdir(), 'maestro-store-'));
  const template = join(root, 'template');
  const database = await openPglite({ directory: template, flush: () => undefined });
  await migrate(database);
  await database.close();
  let count = 0;
  return {
    make: async () => {
      count += 1;
      const directory = join(root, `copy-${count}`);
      await cp(template, directory, { recursive: true });
      return directory;
    },
    [Symbol.asyncDispose]: async () => rm(root, { recursive: true, force: true }),
  };
}
