import type { Job } from '../runner.ts';
import { tarOf } from './tar.ts';

/** Where things are inside a container. The agent image has these directories (docker/agent-image/Dockerfile). */
export const PLACES = {
  lane: '/lane',
  repo: '/lane/repo',
  mirror: '/mirror',
  home: '/home/agent',
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
 * Runs first in every container, as the agent's user. $1 is how many bytes of standard input are a tar of HOME's files, $2 is
 * `wire` or `alone`; the rest is the command, which inherits what is left of standard input. `head -c` reads no byte too many.
 * Waiting for the listener looks at the kernel's table (0C38 is port 3128, 0A is LISTEN): a trial connection would reach the gateway.
 */
const ENTER = `
fail() { printf '%s\\n' "$1" >&2; exit 125; }
bytes=$1 wire=$2
shift 2
if [ "$bytes" -gt 0 ]; then
  head -c "$bytes" | tar -x -C "$HOME" || fail 'the files for HOME could not be unpacked'
fi
if [ "$wire" = wire ]; then
  socat TCP-LISTEN:${GATEWAY_PORT},bind=127.0.0.1,fork,reuseaddr,backlog=128 UNIX-CONNECT:${PLACES.socket} \\
    </dev/null >/dev/null 2>&1 &
  tries=0
  until grep -q ' 0100007F:0C38 00000000:0000 0A ' /proc/net/tcp; do
    tries=$((tries + 1))
    [ "$tries" -lt 500 ] || fail 'the wire to the gateway could not be offered on loopback (is socat in the image?)'
    sleep 0.01
  done
fi
cd ${PLACES.repo} 2>/dev/null || cd ${PLACES.lane} || fail 'the lane is not mounted'
unset bytes wire tries OLDPWD
printf '\\006' >&2
exec "$@"
`;

/** What the engine is told to run for a job, and what goes into its standard input before the job's own. */
export interface Entry {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly preamble: Buffer;
}

/** Wraps a job's command so that HOME's files and the wire are there when it starts. */
export function entryOf(job: Job): Entry {
  const files = job.files ?? {};
  const preamble = Object.keys(files).length === 0 ? Buffer.alloc(0) : tarOf(files, AGENT_UID);
  return {
    entrypoint: ['/bin/sh', '-c', ENTER, 'maestro'],
    command: [String(preamble.length), job.socket === undefined ? 'alone' : 'wire', ...job.argv],
    preamble,
  };
}

/**
 * The environment of a container: the job's own, PATH, HOME and LANG. A name without `=` takes away what the engine (HOSTNAME)
 * or the image (`imageEnv`, its `NAME=value` list) would add.
 */
export function environmentOf(job: Job, imageEnv: readonly string[]): readonly string[] {
  const env: Record<string, string> = { PATH, LANG: 'C.UTF-8', ...job.env, HOME: PLACES.home };
  const unwanted = ['HOSTNAME', ...imageEnv.map((line) => line.split('=', 1)[0] ?? '')];
  return [
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...unwanted.filter((name) => !(name in env)),
  ];
}
