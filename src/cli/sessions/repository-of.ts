import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** `owner/name` of a conversation: of the remote it tells of, or of the working copy it was held in if that is still there. */
export async function repositoryOf(facts: {
  readonly remote?: string | undefined;
  readonly cwd?: string | undefined;
}): Promise<string | undefined> {
  const told = facts.remote === undefined ? undefined : nameIn(facts.remote);
  if (told !== undefined || facts.cwd === undefined || !path.isAbsolute(facts.cwd)) return told;
  return await originOf(facts.cwd);
}

/** The last two parts of a remote's URL or of `owner/name`, without what signs in. */
function nameIn(remote: string): string | undefined {
  const [, owner, name] = /([A-Za-z0-9_.-]+)\/([A-Za-z0-9_.-]+?)(?:\.git)?\/?$/.exec(remote) ?? [];
  return owner === undefined || name === undefined ? undefined : `${owner}/${name}`;
}

/** Reads the settings of the working copy a directory lies in; runs no git there. */
async function originOf(directory: string): Promise<string | undefined> {
  for (let at = directory; ; at = path.dirname(at)) {
    const config = await readFile(path.join(at, '.git', 'config'), 'utf8').catch(() => undefined);
    const [, url] = /\[remote "origin"\][^[]*?\n\s*url\s*=\s*(\S+)/.exec(config ?? '') ?? [];
    if (url !== undefined) return nameIn(url);
    if (config !== undefined || at === path.dirname(at)) return undefined;
  }
}
