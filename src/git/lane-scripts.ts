/**
 * What is done to a lane, as programs for `sh`: they run where the agent runs, under the same confinement, because git in a
 * working copy an agent wrote runs whatever the agent likes (promise P12). The host only reads what they print.
 */

/**
 * Brings the working copy to a commit: `sh -c PREPARE maestro-prepare REPO MIRROR BRANCH COMMIT`. Ignored files (dependencies)
 * stay, everything else is as in the commit. A copy that cannot be mended is made anew.
 */
const PREPARE = `
set -eu
repo=$1 mirror=$2 branch=$3 commit=$4
bring() {
  [ -d "$repo/.git" ] || git clone --quiet --shared --no-checkout "$mirror" "$repo"
  rm -f "$repo/.git/index.lock" "$repo/.git/HEAD.lock"
  git -C "$repo" -c core.hooksPath=/dev/null -c core.fsmonitor=false -c advice.detachedHead=false checkout --quiet --force -B "$branch" "$commit" &&
  git -C "$repo" -c core.hooksPath=/dev/null -c core.fsmonitor=false reset --quiet --hard "$commit" &&
  git -C "$repo" -c core.hooksPath=/dev/null -c core.fsmonitor=false clean --quiet -ffd &&
  git -C "$repo" config user.name 'Maestro agent' &&
  git -C "$repo" config user.email 'agent@maestro.invalid' &&
  git -C "$repo" config --unset-all core.hooksPath || [ $? -eq 5 ]
}
if ! bring 2>/dev/null; then
  rm -rf "$repo"
  bring
fi
git -C "$repo" remote remove origin 2>/dev/null || true
[ "$(git -C "$repo" rev-parse HEAD)" = "$commit" ]
`;

/**
 * Takes the work out: `sh -c CAPTURE maestro-capture REPO MIRROR COMMIT` prints `tree OID\\n` and then the pack of what the
 * working copy has over the commit. It uses a repository of its own, so that nothing the agent did to `.git` (hooks, filters,
 * index flags, no `.git` at all) changes what is taken. The agent's index is not even a cache: what it says of a file could be a lie.
 */
const CAPTURE = `
set -eu
repo=$1 mirror=$2 commit=$3
scratch="$repo.capture"
rm -rf "$scratch"
git init --quiet --bare "$scratch"
printf '%s\\n' "$mirror/objects" > "$scratch/objects/info/alternates"
[ ! -d "$repo/.git/objects" ] || printf '%s\\n' "$repo/.git/objects" >> "$scratch/objects/info/alternates"
export GIT_DIR="$scratch" GIT_WORK_TREE="$repo"
cd "$repo"
git read-tree "$commit"
git -c core.fsmonitor=false -c core.hooksPath=/dev/null add --all . >&2
tree=$(git write-tree)
printf 'tree %s\\n' "$tree"
printf '%s\\n^%s\\n' "$tree" "$commit" | git pack-objects --revs --thin --stdout --quiet --delta-base-offset
rm -rf "$scratch"
`;

/** The command that brings a lane's working copy to a commit. */
export function prepareCommand(lane: {
  readonly repo: string;
  readonly mirror: string;
  readonly branch: string;
  readonly commit: string;
}): readonly string[] {
  return ['sh', '-c', PREPARE, 'maestro-prepare', lane.repo, lane.mirror, lane.branch, lane.commit];
}

/** The command that prints a lane's work as a tree id and a pack; read it with `splitCapture`. */
export function captureCommand(lane: {
  readonly repo: string;
  readonly mirror: string;
  readonly commit: string;
}): readonly string[] {
  return ['sh', '-c', CAPTURE, 'maestro-capture', lane.repo, lane.mirror, lane.commit];
}
