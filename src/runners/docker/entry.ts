import type { Job, Place } from '../runner.ts';
import { tarOf } from './tar.ts';

/** Where things are inside a container. The agent image has these directories (docker/agent-image/Dockerfile). */
export const PLACES = {
  lane: '/lane',
  repo: '/lane/repo',
  mirror: '/mirror',
  tree: '/tree',
  home: '/home/agent',
  /** In memory, and only in a keeper. */
  keep: '/tmp/keep',
  socket: '/run/maestro/gateway.sock',
} as const;

/** The agent image's user. */
export const AGENT_UID = 1000;

/** Where a job with a socket finds the gateway: `socat` offers the socket on loopback, the only network there is. */
export const GATEWAY_PORT = 3128;

/** First byte of stderr: the place is set up and the command starts. Written before it runs, so no command can forge it. */
export const READY = 0x06;

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs first in every job's container, as the agent's user, and waits there for its go: a line with two numbers on standard input,
 * then so many bytes of a tar of HOME's files, then so many of the command, as a line for the shell. The command inherits what is
 * left of standard input: `read` and `head -c` take no byte too many. $1 is `wire` or `alone`.
 * Waiting for the listener looks at the kernel's table (0C38 is port 3128, 0A is LISTEN): a trial connection would reach the gateway.
 */
const ENTER = `
fail() { printf '%s\\n' "$1" >&2; exit 125; }
if [ "$1" = wire ]; then
  socat TCP-LISTEN:${GATEWAY_PORT},bind=127.0.0.1,fork,reuseaddr,backlog=128 UNIX-CONNECT:${PLACES.socket} \\
    </dev/null >/dev/null 2>&1 &
  tries=0
  listens() {
    while read -r _ at from state _; do
      [ "$at $from $state" != '0100007F:0C38 00000000:0000 0A' ] || return 0
    done </proc/net/tcp
    return 1
  }
  until listens; do
    tries=$((tries + 1))
    [ "$tries" -lt 500 ] || fail 'the wire to the gateway could not be offered on loopback (is socat in the image?)'
    sleep 0.01
  done
fi
read -r files command || fail 'nobody said what to run'
if [ "$files" -gt 0 ]; then
  head -c "$files" | tar -x -C ${PLACES.home} || fail 'the files for HOME could not be unpacked'
fi
command=$(head -c "$command")
cd ${PLACES.repo} 2>/dev/null || cd ${PLACES.lane} || fail 'the lane is not mounted'
printf '\\006' >&2
eval "exec $command"
`;

/**
 * Runs first in a keeper: one errand after another, each a line with a number and a word on standard input, then so many bytes of
 * the errand's command. The word, which nobody else knows, ends the errand's output on both streams, on stdout with its exit code.
 */
const KEEP = `
while read -r bytes word; do
  command=$(head -c "$bytes")
  cd ${PLACES.repo} 2>/dev/null || cd ${PLACES.lane}
  (eval "exec $command") </dev/null
  printf '%s %s\\n' "$word" "$?"
  printf '%s' "$word" >&2
done
`;

/** What the engine is told to run in a job's container. */
export function entryOf(place: Place): readonly string[] {
  return ['/bin/sh', '-c', ENTER, 'maestro', place.socket === undefined ? 'alone' : 'wire'];
}

/** What the engine is told to run in a keeper. */
export const KEEPER_ENTRY: readonly string[] = ['/bin/sh', '-c', KEEP, 'maestro-keeper'];

/** What a job's container waits for on its standard input; the job's own input follows. */
export function goOf(job: Pick<Job, 'argv' | 'env' | 'files'>): Buffer {
  const files = job.files ?? {};
  const tar = Object.keys(files).length === 0 ? Buffer.alloc(0) : tarOf(files, AGENT_UID);
  const command = Buffer.from(commandLine(job.argv, job.env));
  return Buffer.concat([Buffer.from(`${tar.length} ${command.length}\n`), tar, command]);
}

/** What a keeper waits for: one errand, whose output ends with `word`, 1 or more of `[a-z0-9]`. */
export function errandOf(argv: readonly string[], word: string): Buffer {
  const command = Buffer.from(commandLine(argv, {}));
  return Buffer.concat([Buffer.from(`${command.length} ${word}\n`), command]);
}

/**
 * A command as words for the shell, under an environment that is the job's own, PATH, HOME and LANG, and nothing of what the engine
 * or the image would add.
 */
function commandLine(argv: readonly string[], env: Readonly<Record<string, string>>): string {
  const all: Record<string, string> = { PATH, LANG: 'C.UTF-8', ...env, HOME: PLACES.home };
  const lines = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  return ['env', '-i', '--', ...lines, ...argv].map(quoted).join(' ');
}

/** One word for the shell, whatever is in it. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
