/**
 * What is done to a lane, as programs for `sh`. They run in the lane's keeper: a place of ours, confined like the agent's, that
 * runs nothing of the agent's. So git here has a repository, an index and settings of its own in a directory no agent sees, and
 * never looks into a repository that lies in the working copy: git in a repository an agent wrote runs whatever the agent likes
 * (promise P12). The host only reads what they print.
 */

/** Exit code that says a lane is not prepared as it should be. EX_UNAVAILABLE of sysexits.h: nothing here ends with it otherwise. */
export const NOT_PREPARED = 69;

/**
 * What all begin with. `$keep/index` says of each file what it held when *we* last read or wrote it, so that a file is read again
 * only when its size, times or inode changed. Its word is good because no agent can write it, and because it never holds a file
 * that could change once more without showing it (`distrust`).
 *
 * An agent can put back a file's size and mtime, but not its ctime, of which git compares the seconds. So an entry whose ctime is
 * of the very second of the index itself, with an mtime before it, could be changed unseen later in that second; with an mtime of
 * that second git reads the file anyway ("racy-git" in git's own documentation). `distrust` takes the word of all entries away
 * when there is such a one.
 */
export const COMMON = `
set -eu
scratch="$repo.capture"
export GIT_DIR="$keep/git" GIT_WORK_TREE="$repo" GIT_INDEX_FILE="$keep/index"
export GIT_ALTERNATE_OBJECT_DIRECTORIES="$mirror/objects"
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0

forget() {
  rm -rf "$keep/git" "$keep"/index*
  mkdir -p "$keep/git/objects" "$keep/git/refs"
  printf 'ref: refs/heads/none\\n' > "$keep/git/HEAD"
  printf '[%s]\\n%s\\n' core 'repositoryformatversion = 0
    bare = false
    hooksPath = /dev/null
    fsmonitor = false
    untrackedCache = false
    attributesFile = /dev/null
    excludesFile = /dev/null' submodule 'recurse = false' gc 'auto = 0' > "$keep/git/config"
}

discard() {
  rm -rf "$1" 2>/dev/null || { chmod -R u+rwX "$1" && rm -rf "$1"; }
}

distrust() {
  second=$(stat -c %Y "$GIT_INDEX_FILE" 2>/dev/null || stat -f %m "$GIT_INDEX_FILE")
  awk -v second="$second" '
    $1 == "ctime:" { changed = $2 + 0 }
    $1 == "mtime:" && changed >= second && $2 + 0 < second { found = 1 }
    END { exit !found }' || return 0
  : > "$keep/forgotten"
  git ls-files --stage -z > "$keep/stages"
  git update-index -z --index-info < "$keep/stages"
  rm -f "$keep/stages"
}

read_files() {
  rm -f "$keep/forgotten"
  git update-index -q --refresh --ignore-submodules >/dev/null 2>&1 || true
  git ls-files --debug | distrust
}

learn() {
  rm -f "$GIT_INDEX_FILE"
  git read-tree "$commit"
  read_files
  printf '%s' "$commit" > "$keep/commit"
}

[ -f "$keep/git/config" ] || forget
# What is kept of the tree the lane was started from: as good as ours, since nobody can write it.
if [ ! -f "$keep/index" ] && [ -f "$tree/index" ] && [ -f "$tree/commit" ]; then
  cp -p "$tree/index" "$keep/index"
  cp "$tree/commit" "$keep/commit"
fi
# What setup left beside the repository's own files is no work of anybody's.
left="\${repo%/*}/prepared"
if [ -f "$left/exclude" ]; then
  mkdir -p "$keep/git/info"
  cp "$left/exclude" "$keep/git/info/exclude"
fi

give_git() {
  mkdir -p .git/objects/info .git/objects/pack .git/refs/heads .git/refs/tags .git/info
  printf 'ref: refs/heads/%s\\n' "$branch" > .git/HEAD
  printf '# pack-refs with: peeled fully-peeled sorted \\n%s refs/heads/%s\\n' "$commit" "$branch" > .git/packed-refs
  printf '%s\\n' "$mirror/objects" > .git/objects/info/alternates
  printf '[core]\\n\\trepositoryformatversion = 0\\n\\tfilemode = true\\n\\tbare = false\\n\\tlogallrefupdates = true\\n' > .git/config
  printf '[user]\\n\\tname = Maestro agent\\n\\temail = agent@maestro.invalid\\n' >> .git/config
  if [ -f "$left/exclude" ]; then cp "$left/exclude" .git/info/exclude; fi
  cp -p "$keep/index" .git/index
}
`;

/**
 * Brings the working copy to a commit. Ignored files (dependencies) stay, everything else is as in the commit. A copy that cannot
 * be mended is made anew. The agent gets a repository made for it: on the run's branch, borrowing its objects from the mirror.
 */
const PREPARE = `
repo=$1 mirror=$2 keep=$3 tree=$4 branch=$5 commit=$6 is=$7 prepared=$8
${COMMON}
if [ -n "$prepared" ] && [ "$(head -c 100 "$left/key" 2>/dev/null)" != "$prepared" ]; then exit ${NOT_PREPARED}; fi
# Nobody has been here since the tree was made: only what differs between the commits has to be looked at.
forward() {
  [ -f "$keep/index" ] && [ ! -e "$repo/.git" ] && cd "$repo" && git read-tree -m -u "$(cat "$keep/commit")" "$commit"
}
bring() {
  if [ "$is" = fresh ] && forward; then return; fi
  if [ -L "$repo" ] || [ ! -d "$repo" ]; then
    rm -rf "$repo" "$keep"/index* && mkdir "$repo" || return 1
  fi
  cd "$repo" || return 1
  # Reading files whose entries were forgotten is quicker than writing them.
  if [ -f "$keep/forgotten" ]; then read_files || return 1; fi
  if [ ! -f "$keep/index" ] && [ -n "$(ls -A)" ]; then learn || return 1; fi
  git read-tree --reset -u "$commit" && git clean --quiet -ffd && discard .git
}
if ! bring 2>/dev/null; then
  cd "\${repo%/*}"
  discard "$repo"
  discard "$left"
  forget
  if [ -n "$prepared" ]; then exit ${NOT_PREPARED}; fi
  bring
fi
printf '%s' "$commit" > "$keep/commit"
give_git
`;

/**
 * Takes the work out: prints `tree OID\\n` and then the pack of what the working copy has over the commit. Whatever the agent did
 * to `.git` (hooks, filters, index flags, no `.git` at all) changes nothing of what is taken. A repository inside the working copy
 * is taken as a link to its commit, without git being run in it, for the host to refuse.
 */
const CAPTURE = `
repo=$1 mirror=$2 keep=$3 tree=$4 commit=$5
${COMMON}
if [ -e "$scratch" ] || [ -L "$scratch" ]; then discard "$scratch"; fi
mkdir "$scratch"
export GIT_OBJECT_DIRECTORY="$scratch"
if [ -L "$repo" ] || [ ! -d "$repo" ]; then
  echo 'the working copy is not a directory any more' >&2
  exit 1
fi
cd "$repo"
held=
if [ -f "$keep/commit" ]; then read -r held < "$keep/commit" || true; fi
[ -f "$keep/index" ] && [ "$held" = "$commit" ] || learn
# The index stays at the commit: what is taken may still be refused, and its objects do not stay.
cp -p "$keep/index" "$keep/index.next"
if [ -e "$keep/index.next.lock" ]; then rm -f "$keep/index.next.lock"; fi
export GIT_INDEX_FILE="$keep/index.next"
git diff-files --ignore-submodules=all --name-only -z > "$keep/changed"
git ls-files --others --exclude-standard -z > "$keep/others"
if [ -s "$keep/others" ]; then tr '\\0\\n' '\\n\\0' < "$keep/others" | sed 's,/$,,' | tr '\\0\\n' '\\n\\0' >> "$keep/changed"; fi
if [ -s "$keep/changed" ]; then git update-index --add --remove --replace -z --stdin < "$keep/changed" >&2; fi
written=$(git write-tree)
printf 'tree %s\\n' "$written"
printf '%s\\n^%s\\n' "$written" "$commit" | git pack-objects --revs --thin --stdout --quiet --delta-base-offset
discard "$scratch"
`;

/**
 * Makes a tree for lanes to start from: below the place where a lane's working copy would be put, `lane/repo` with the commit's
 * files, and the index that knows them. Prints the size of all in kB.
 */
const PLANT = `
place="\${1%/*}" repo="\${1%/*}/lane/repo" mirror=$2 keep=$3 tree= commit=$4 branch=$5
${COMMON}
mkdir -p "$repo"
cd "$repo"
git read-tree --reset -u "$commit"
if [ -n "$branch" ]; then give_git; fi
# Nobody else was here. An index of a later second than all files is believed of all of them.
sleep 1
cp "$keep/index" "$place/index"
printf '%s' "$commit" > "$place/commit"
du -sk "$place" | cut -f1
`;

/** Where a lane's things are, as its keeper sees them. */
export interface LanePlaces {
  readonly repo: string;
  readonly mirror: string;
  /** Directory with what `plantCommand` made, if the lane was started from that; no agent can write it. */
  readonly tree: string | undefined;
  /** Directory no agent sees. It may be empty: what is kept there only saves time. */
  readonly keep: string;
}

/**
 * The command that brings a lane's working copy to a commit. With `prepared`, the key of a setup, it exits with `NOT_PREPARED` and
 * changes nothing when that setup has not been done here.
 */
export function prepareCommand(
  lane: LanePlaces & {
    readonly branch: string;
    readonly commit: string;
    /** Whether the lane holds what `plantCommand` made and nobody has been on it. */
    readonly isFresh?: boolean;
    readonly prepared?: string;
  },
): readonly string[] {
  return [
    'sh',
    '-c',
    PREPARE,
    'maestro-prepare',
    lane.repo,
    lane.mirror,
    lane.keep,
    lane.tree ?? '',
    lane.branch,
    lane.commit,
    lane.isFresh === true ? 'fresh' : '',
    lane.prepared ?? '',
  ];
}

/** The command that prints a lane's work as a tree id and a pack; read it with `captureStream`. */
export function captureCommand(lane: LanePlaces & { readonly commit: string }): readonly string[] {
  return ['sh', '-c', CAPTURE, 'maestro-capture', lane.repo, lane.mirror, lane.keep, lane.tree ?? '', lane.commit];
}

/**
 * The command that makes a tree for lanes to start from, where nothing is yet, and prints its size in kB. With a branch it has a
 * repository for setup to work in, which `sealTreeCommand` takes away.
 */
export function plantCommand(
  lane: Omit<LanePlaces, 'tree'> & { readonly commit: string; readonly branch?: string },
): readonly string[] {
  const { repo, mirror, keep, commit, branch = '' } = lane;
  return ['sh', '-c', PLANT, 'maestro-plant', repo, mirror, keep, commit, branch];
}
