import type Docker from 'dockerode';
import type { JobLimits } from '../runner.ts';
import { AGENT_UID, PLACES } from './entry.ts';

/** Everything about a job that may show in how its container is confined. */
export interface Confinement {
  /** Name of the lane's volume. */
  readonly volume: string;
  /** Name of the volume of the tree the lane starts from: mounted too, so that the engine keeps it. */
  readonly tree: string | undefined;
  /** Directory on the host, absolute and without symbolic links. */
  readonly mirror: string;
  /** Socket file on the host, absolute and without symbolic links. */
  readonly socket: string | undefined;
  readonly limits: Pick<JobLimits, 'memoryBytes' | 'cpus' | 'pids'>;
  /** Another OCI runtime the engine knows, such as `runsc`. */
  readonly runtime: string | undefined;
}

/** The engine's HostConfig, with what the types leave out, and without what a job may never have. */
export type HostConfig = Docker.HostConfig & { readonly CgroupnsMode: 'private' };

const MIB = 1024 * 1024;

/**
 * Sizes of the two writable places beside the lane. They count as memory: what a job keeps there it takes from its own limit.
 * One agent CLI unpacks 235 MB into its HOME.
 */
const HOME_BYTES = 768 * MIB;
const TMP_BYTES = 512 * MIB;

/**
 * The one place that says what a container may have. Deny by default: nothing in `Confinement` can widen it, and
 * `host-config-guard.ts` holds the rules it is checked against, here and as the engine understood it.
 */
export function hostConfig({ volume, tree, mirror, socket, limits, runtime }: Confinement): HostConfig {
  const owner = `uid=${AGENT_UID},gid=${AGENT_UID}`;
  return {
    Privileged: false,
    CapAdd: [],
    CapDrop: ['ALL'],
    // The default seccomp profile applies as long as none is named.
    SecurityOpt: ['no-new-privileges'],
    ReadonlyRootfs: true,
    Tmpfs: {
      '/tmp': `rw,nosuid,nodev,exec,mode=1777,size=${TMP_BYTES}`,
      // A tmpfs over a directory of the image keeps that directory's owner and mode unless told otherwise.
      [PLACES.home]: `rw,nosuid,nodev,exec,mode=0700,${owner},size=${HOME_BYTES}`,
    },
    Mounts: [
      { Type: 'volume', Source: volume, Target: PLACES.lane, ReadOnly: false },
      ...(tree === undefined ? [] : [{ Type: 'volume' as const, Source: tree, Target: PLACES.tree, ReadOnly: true }]),
      readOnlyBind(mirror, PLACES.mirror),
      // Connecting to a socket is not a write to its file system: read-only is enough.
      ...(socket === undefined ? [] : [readOnlyBind(socket, PLACES.socket)]),
    ],
    Binds: [],
    VolumesFrom: [],
    Devices: [],
    DeviceRequests: [],
    DeviceCgroupRules: [],
    GroupAdd: [],
    ExtraHosts: [],
    PortBindings: {},
    PublishAllPorts: false,
    NetworkMode: 'none',
    IpcMode: 'private',
    PidMode: '',
    UTSMode: '',
    CgroupnsMode: 'private',
    ShmSize: 64 * MIB,
    // Reaps orphans, and passes signals on to CLIs that ignore them as PID 1.
    Init: true,
    PidsLimit: limits.pids,
    Memory: limits.memoryBytes,
    // Equal to Memory: no swap on top of it.
    MemorySwap: limits.memoryBytes,
    NanoCpus: Math.round(limits.cpus * 1e9),
    // When the machine itself runs out of memory, an agent goes before a service.
    OomScoreAdj: 500,
    OomKillDisable: false,
    Ulimits: [
      { Name: 'nofile', Soft: 16_384, Hard: 16_384 },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    // We keep the output ourselves; the engine's own logs cost disk and two thirds of the throughput.
    LogConfig: { Type: 'none', Config: {} },
    RestartPolicy: { Name: 'no' },
    AutoRemove: false,
    ...(runtime === undefined ? {} : { Runtime: runtime }),
  };
}

function readOnlyBind(source: string, target: string): Docker.MountSettings {
  return { Type: 'bind', Source: source, Target: target, ReadOnly: true, BindOptions: { Propagation: 'rprivate' } };
}
