import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { EFFECTS } from '../../src/telemetry/failpoint.ts';

const SRC = path.join(import.meta.dirname, '..', '..', 'src');

/** Where each effect is wrapped. A new effect gets its line here, and a trial by being in the list. */
const PLACES: Readonly<Record<(typeof EFFECTS)[number], readonly string[]>> = {
  inbox: ['app/http.ts'],
  sweep: ['app/missed.ts'],
  redeliver: ['app/missed.ts'],
  look: ['app/scan.ts'],
  found: ['app/put-off.ts', 'app/scan.ts'],
  rebuild: ['app/rebuild.ts'],
  plan: ['app/start.ts'],
  enqueue: ['queue/bullmq.ts'],
  claim: ['store/leases.ts'],
  token: ['forge/github/tokens.ts'],
  fetch: ['git/remote.ts'],
  lane: ['runners/docker/own-images.ts', 'runners/docker/volumes.ts', 'runners/local/local-runner.ts'],
  container: ['runners/docker/containers.ts', 'runners/local/local-runner.ts'],
  session: ['runners/docker/container.ts', 'runners/local/local-runner.ts'],
  spend: ['store/spending.ts'],
  shelve: ['sessions/disk-shelf.ts'],
  capture: ['git/ingest.ts'],
  commit: ['git/commit.ts'],
  push: ['workers/stages/push.ts'],
  keep: ['workers/rewind.ts', 'workers/stages/kept-work.ts'],
  rewind: ['workers/rewind.ts'],
  exec: ['workers/exec.ts'],
  'pull-request': ['workers/announce.ts'],
  open: ['forge/github/pull-requests.ts'],
  describe: ['forge/github/pull-requests.ts'],
  ready: ['forge/github/pull-requests.ts'],
  draft: ['forge/github/pull-requests.ts'],
  comment: ['forge/github/comments.ts'],
  check: ['forge/github/checks.ts'],
  label: ['forge/github/issues.ts'],
  reaction: ['forge/github/issues.ts'],
  tick: ['forge/github/issues.ts'],
  settle: ['workers/stages/settle.ts'],
  end: ['workers/put-away.ts'],
  clean: ['runners/docker/container.ts', 'runners/local/local-runner.ts'],
  discard: ['runners/docker/volumes.ts', 'runners/local/local-runner.ts'],
};

/** How an effect is wrapped, each naming it first: `around`, the client's `write`, the held run's `effect`. */
const WRAPS = [
  /\baround\(\s*'([a-z-]+)'/g,
  /\.write\(\s*repository,\s*'([a-z-]+)'/g,
  /\brepeatedly\(\s*'([a-z-]+)'/g,
  /\.effect\(\s*\{[^}]*?name: '([a-z-]+)'/g,
];

/** What reaches outside. Every call of one stands inside a wrap. */
const PRIMITIVES = [
  /\.saveDelivery\(/g,
  /\bredeliver\(deps, attempt\)(?=,)/g,
  /\bscanRepository\(deps, one/g,
  /\bstore\.setMark\((?:SEEN|name, \{ value: times|markOf)/g,
  /\bstore\.createRun\(/g,
  /\bqueue\.add\(/g,
  /\bjob\.promote\(/g,
  /SET epoch = epoch \+ 1/g,
  /INSERT INTO maestro\.spending/g,
  /\.createInstallationAccessToken\(/g,
  /\bask\(gitDir, access, command\)|\bask\(gitDir, access, \[\s*'fetch'/g,
  /\bpushBranch\(mirror/g,
  /\bcommand, \{ input \}/g,
  /(?<!function )\bmoveObjects\(/g,
  /\.createContainer\(/g,
  /\.createVolume\(/g,
  /\bcontainer\.start\(/g,
  /\.remove\(\{ force/g,
  /getVolume\(name\)\.remove\(/g,
  /(?<!function )\bstartProcess\(/g,
  /\bendProcesses\(left, GRACE_MS, clock\);\n\s+await removeTree/g,
  /\brest\.[a-zA-Z]+\.(?:create|update|add|remove|delete|replace|set|merge|dismiss|submit)[A-Z]?\w*\(/g,
  /\.graphql</g,
];

/** Calls that leave nothing a crash could cut: what they are for is said here. */
const EXEMPT = [
  // Only makes sooner what `add` has made.
  'queue/bullmq.ts: job.promote(',
];

describe('effects', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, text: withoutComments(readFileSync(path.join(SRC, file), 'utf8')) }))
    .filter(({ file }) => file !== 'telemetry/failpoint.ts');

  it('are wrapped exactly where it says', () => {
    const found = new Map<string, Set<string>>();
    for (const { file, text } of files) {
      for (const name of WRAPS.flatMap((wrap) => [...text.matchAll(wrap)].map((match) => match[1] ?? ''))) {
        found.set(name, (found.get(name) ?? new Set()).add(file));
      }
    }
    const places = Object.fromEntries([...found].map(([name, where]) => [name, [...where].toSorted()]));
    expect(places).toEqual(PLACES);
    expect(Object.keys(PLACES)).toEqual([...EFFECTS]);
  });

  it('are reached through a wrap wherever something reaches outside', () => {
    const naked = files.flatMap(({ file, text }) => nakedCalls(file, text));
    expect(naked).toEqual([]);
    const reached = PRIMITIVES.filter((primitive) => !files.some(({ text }) => text.search(primitive) >= 0));
    expect(reached.map(String)).toEqual([]);
  });

  it('are missed when they are not wrapped', () => {
    const push = files.find(({ file }) => file === 'workers/stages/push.ts')?.text ?? '';
    expect(nakedCalls('push.ts', push)).toHaveLength(0);
    expect(nakedCalls('push.ts', push.replace('await held.effect(', 'await later('))).toHaveLength(1);
    expect(nakedCalls('x.ts', 'github.rest.issues.createComment({})')).toHaveLength(1);
  });
});

function nakedCalls(file: string, text: string): readonly string[] {
  const wrapped = spansOf(text);
  return PRIMITIVES.flatMap((primitive) => [...text.matchAll(primitive)])
    .filter(({ index }) => !wrapped.some(([from, to]) => index > from && index < to))
    .map(([call]) => `${file}: ${call}`)
    .filter((call) => !EXEMPT.includes(call));
}

/** Where the arguments of wraps begin and end. */
function spansOf(text: string): readonly (readonly [number, number])[] {
  const starts = [/\baround\(/g, /\.write\(/g, /\brepeatedly\(/g, /\.effect\(/g].flatMap((wrap) =>
    [...text.matchAll(wrap)].map((match) => match.index + match[0].length),
  );
  return starts.map((start) => {
    let depth = 1;
    let at = start;
    for (; at < text.length && depth > 0; at += 1) {
      if (text[at] === '(') depth += 1;
      if (text[at] === ')') depth -= 1;
    }
    return [start, at] as const;
  });
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}
