import type Docker from 'dockerode';
import { PLACES } from './entry.ts';

/** A HostConfig as built, or as the engine says it understood it. */
type Effective = Docker.HostConfig & { readonly CgroupnsMode?: string };

interface Rule {
  /** What must be so, as the person reads it when it is not. */
  readonly must: string;
  readonly holds: (config: Effective) => boolean;
}

/** Host paths no job may see, wherever they are mounted: they are ways to the host itself. */
const FORBIDDEN_SOURCES = [/^\/$/, /^\/(?:proc|sys|dev|boot|etc|bin|sbin|lib|lib64|usr)(?:\/|$)/, /^\/(?:var\/)?run$/];
const ENGINE_SOCKETS = /\/(?:docker|containerd|podman|crio|buildkitd|dockershim)[^/]*\.sock$/;

const RULES: readonly Rule[] = [
  { must: 'not be privileged', holds: (c) => c.Privileged !== true },
  { must: 'drop every capability', holds: (c) => isOnly(c.CapDrop, 'ALL') },
  { must: 'add no capability', holds: (c) => isEmpty(c.CapAdd) },
  {
    must: 'never gain privileges, under the default seccomp profile',
    holds: (c) => isOnly(c.SecurityOpt, 'no-new-privileges') || isOnly(c.SecurityOpt, 'no-new-privileges:true'),
  },
  { must: 'have a read-only root', holds: (c) => c.ReadonlyRootfs === true },
  { must: 'have no network', holds: (c) => c.NetworkMode === 'none' },
  { must: 'have no ports', holds: (c) => isEmpty(c.PortBindings) && c.PublishAllPorts !== true },
  { must: 'have no extra hosts or links', holds: (c) => isEmpty(c.ExtraHosts) && isEmpty(c.Links) },
  { must: 'have no bind in the old form', holds: (c) => isEmpty(c.Binds) },
  { must: "have no other container's volumes", holds: (c) => isEmpty(c.VolumesFrom) },
  {
    must: 'have no mount but the lane, its tree, the mirror and the gateway',
    holds: (c) => mountsOf(c).every(isAllowedMount),
  },
  {
    must: 'see no system directory and no engine of the host',
    holds: (c) => mountsOf(c).every((mount) => mount.Type !== 'bind' || isHarmlessSource(mount.Source)),
  },
  {
    must: 'have no writable place in memory without nosuid, nodev and a size',
    holds: (c) =>
      Object.values(c.Tmpfs ?? {}).every(
        (options) => ['nosuid', 'nodev'].every((o) => has(options, o)) && sized(options),
      ),
  },
  {
    must: 'have no devices',
    holds: (c) => isEmpty(c.Devices) && isEmpty(c.DeviceRequests) && isEmpty(c.DeviceCgroupRules),
  },
  { must: 'have processes of its own', holds: (c) => isEmpty(c.PidMode) },
  { must: 'have shared memory of its own', holds: (c) => c.IpcMode === 'private' || c.IpcMode === 'none' },
  { must: 'have a host name of its own', holds: (c) => isEmpty(c.UTSMode) },
  { must: 'not leave the user namespace of the engine', holds: (c) => c.UsernsMode !== 'host' },
  { must: 'have a cgroup of its own', holds: (c) => c.CgroupnsMode === 'private' && isEmpty(c.CgroupParent) },
  {
    must: 'have the parts of /proc and /sys hidden that engines hide',
    holds: (c) => c.MaskedPaths?.length !== 0 && c.ReadonlyPaths?.length !== 0,
  },
  { must: 'have an init', holds: (c) => c.Init === true },
  { must: 'have a limit of processes', holds: (c) => isPositive(c.PidsLimit) },
  { must: 'have a limit of memory that may kill it', holds: (c) => isPositive(c.Memory) && c.OomKillDisable !== true },
  { must: 'have no swap', holds: (c) => c.MemorySwap === c.Memory },
  { must: 'have a limit of processor time', holds: (c) => isPositive(c.NanoCpus) },
  {
    must: 'have a limit of open files',
    holds: (c) => c.Ulimits?.some((limit) => limit.Name === 'nofile' && isPositive(limit.Hard)) === true,
  },
  { must: 'leave no logs with the engine', holds: (c) => c.LogConfig?.Type === 'none' },
  { must: 'not start again by itself', holds: (c) => isEmpty(c.RestartPolicy?.Name) || c.RestartPolicy?.Name === 'no' },
  { must: 'get no kernel settings and no groups', holds: (c) => isEmpty(c.Sysctls) && isEmpty(c.GroupAdd) },
];

/** Rules that `config` breaks, as "must …" phrases; empty when a container with it may start. */
export function violations(config: Docker.HostConfig): readonly string[] {
  return RULES.filter((rule) => !rule.holds(config)).map((rule) => rule.must);
}

/**
 * The second guard: what the engine made of it. Looks at the effective HostConfig, user and mounts of a created container.
 * `swapLimit` is false on an engine whose kernel can't limit swap: it reports none then.
 */
export function effectiveViolations(container: Docker.ContainerInspectInfo, swapLimit: boolean): readonly string[] {
  const swap = swapLimit ? {} : { MemorySwap: container.HostConfig.Memory };
  const broken = [...violations({ ...container.HostConfig, ...swap })];
  if (!/^[1-9][0-9]*:[1-9][0-9]*$/.test(container.Config.User)) broken.push('not run as root');
  const places = container.Mounts.filter((mount) => mount.Type !== 'tmpfs');
  if (
    !places.every((mount) => ALLOWED_TARGETS.has(mount.Destination) && mount.RW === (mount.Destination === PLACES.lane))
  ) {
    broken.push('have nothing mounted but the lane, and read-only its tree, the mirror and the gateway');
  }
  return broken;
}

const ALLOWED_TARGETS: ReadonlySet<string> = new Set([PLACES.lane, PLACES.tree, PLACES.mirror, PLACES.socket]);

function isAllowedMount(mount: Docker.MountSettings): boolean {
  // Options of a volume could make any directory of the host one.
  const isVolume = mount.Type === 'volume' && !mount.Source.includes('/') && isEmpty(mount.VolumeOptions);
  if (mount.Target === PLACES.lane) return isVolume;
  if (mount.Target === PLACES.tree) return isVolume && mount.ReadOnly === true;
  return mount.Type === 'bind' && mount.ReadOnly === true && ALLOWED_TARGETS.has(mount.Target);
}

function isHarmlessSource(source: string): boolean {
  return (
    source.startsWith('/') &&
    !source.split('/').includes('..') &&
    !FORBIDDEN_SOURCES.some((pattern) => pattern.test(source)) &&
    !ENGINE_SOCKETS.test(source)
  );
}

function mountsOf(config: Effective): readonly Docker.MountSettings[] {
  return config.Mounts ?? [];
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function isOnly(value: unknown, only: string): boolean {
  return Array.isArray(value) && value.length === 1 && value[0] === only;
}

function isPositive(value: number | undefined): boolean {
  return value !== undefined && value > 0;
}

function has(options: string, option: string): boolean {
  return options.split(',').includes(option);
}

function sized(options: string): boolean {
  return /(?:^|,)size=[1-9]/.test(options);
}
