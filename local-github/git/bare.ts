import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git } from './process.ts';

// Answers like github.com's for a protected branch (GH006) and for an App without the `workflows` permission.
const UPDATE_HOOK = `#!/bin/sh
ref=$1 old=$2 new=$3
zero=0000000000000000000000000000000000000000
if [ -f refusal ]; then
  cat refusal >&2
  exit 1
fi
if [ -f protected-branches ] && grep -qxF "$ref" protected-branches; then
  echo "error: GH006: Protected branch update failed for $ref." >&2
  echo "error: Changes must be made through a pull request." >&2
  exit 1
fi
if [ -n "$LOCAL_GITHUB_NO_WORKFLOWS" ] && [ "$new" != "$zero" ]; then
  commit=$(git rev-list "$new" --not --all -- .github/workflows | head -n 1)
  if [ -n "$commit" ]; then
    path=$(git ls-tree -r --name-only "$commit" -- .github/workflows | head -n 1)
    echo "refusing to allow a GitHub App to create or update workflow \\\`\${path:-.github/workflows}\\\` without \\\`workflows\\\` permission" >&2
    exit 1
  fi
fi
exit 0
`;

const CONFIGURATION = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	logallrefupdates = false
[http]
	receivepack = true
[receive]
	autogc = false
	denyDeleteCurrent = refuse
	hideRefs = refs/pull
[uploadpack]
	allowFilter = true
	allowReachableSHA1InWant = true
[gc]
	auto = 0
[user]
	name = GitHub
	email = noreply@github.com
`;

/** Makes an empty bare repository that answers pushes as GitHub does. */
export async function createBare(directory: string, defaultBranch: string): Promise<void> {
  await mkdir(join(directory, 'hooks'), { recursive: true });
  await git(directory, ['init', '--quiet', '--bare', '--template=', `--initial-branch=${defaultBranch}`, directory]);
  await writeFile(join(directory, 'config'), CONFIGURATION);
  await writeFile(join(directory, 'hooks', 'update'), UPDATE_HOOK, { mode: 0o755 });
}

/** Says which branches refuse updates by push. */
export async function writeProtection(directory: string, branches: readonly string[]): Promise<void> {
  const lines = branches.map((branch) => `refs/heads/${branch}\n`).join('');
  await writeFile(join(directory, 'protected-branches'), lines);
}

/** Makes every push be refused with a text, as a rule or a pre-receive hook does; undefined takes them again. */
export async function writeRefusal(directory: string, text: string | undefined): Promise<void> {
  const file = join(directory, 'refusal');
  if (text === undefined) await rm(file, { force: true });
  else await writeFile(file, text);
}

/** Removes a repository from disk. */
export async function removeBare(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
}
