import path from 'node:path';
import { COMMON, type LanePlaces } from './lane-scripts.ts';

/*
 * What is done to a lane, or to a tree for lanes to start from, before and after a repository's setup has run on it: in the lane's
 * keeper or a place like it, under the same rules (see lane-scripts.ts).
 */

/** Takes away what a lane holds, for a setup that finds nothing of anybody's: agents may have been at work on it. */
const CLEAR = `
repo=$1
lane=$(dirname "$repo")
for old in "$repo" "$lane/cache" "$lane/prepared"; do
  rm -rf "$old" 2>/dev/null || { chmod -R u+rwX "$old" && rm -rf "$old"; }
done
`;

/**
 * Ends a setup: the repository's own files are put back as they are in the commit, and what is there beside them is written down as
 * not to be committed, as if it were ignored (`prepared/exclude`). Then the lane counts as prepared.
 */
const SEAL = `
repo=$1 mirror=$2 keep=$3 tree=$4 commit=$5 prepared=$6
${COMMON}
cd "$repo"
[ -f "$keep/index" ] || learn
discard .git
git read-tree --reset -u "$commit"
printf '%s' "$commit" > "$keep/commit"
mkdir -p "$left"
git ls-files --others --exclude-standard --directory --no-empty-directory -z | tr '\\n\\0' '\\001\\n' |
  sed -e "/$(printf '\\001')/d" -e 's/[\\\\*?[]/\\\\&/g' -e 's/ $/\\\\ /' -e 's,^,/,' | head -n 1000 > "$left/exclude"
printf '%s' "$prepared" > "$left/key"
if [ -n "$tree" ]; then
  # An index of a later second than all files is believed of all of them.
  sleep 1
  cp "$keep/index" "$tree/index"
  du -sk "$tree" | cut -f1
fi
`;

/** The command that takes away all that is on a lane, so that it can be prepared. */
export function clearCommand(lane: Pick<LanePlaces, 'repo'>): readonly string[] {
  return ['sh', '-c', CLEAR, 'maestro-clear', lane.repo];
}

/** The command that makes a lane count as prepared by the setup of this key, which has just run on it at this commit. */
export function sealCommand(
  lane: Omit<LanePlaces, 'tree'> & { readonly commit: string; readonly key: string },
): readonly string[] {
  return ['sh', '-c', SEAL, 'maestro-seal', lane.repo, lane.mirror, lane.keep, '', lane.commit, lane.key];
}

/** The same for a tree that `plantCommand` made; prints its size in kB. */
export function sealTreeCommand(
  lane: Omit<LanePlaces, 'tree'> & { readonly commit: string; readonly key: string },
): readonly string[] {
  const place = path.posix.dirname(lane.repo);
  const repo = `${place}/lane/repo`;
  return ['sh', '-c', SEAL, 'maestro-seal', repo, lane.mirror, lane.keep, place, lane.commit, lane.key];
}
