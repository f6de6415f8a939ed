import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { violations } from '../../../src/runners/docker/host-config-guard.ts';
import { hostConfig, type Confinement, type HostConfig } from '../../../src/runners/docker/host-config.ts';

const USUAL: Confinement = {
  volume: 'maestro-abc-lane',
  tree: undefined,
  mirror: '/var/lib/maestro/mirrors/1.git',
  socket: '/var/lib/maestro/gateway/s.sock',
  limits: { memoryBytes: 2_147_483_648, cpus: 1.5, pids: 256 },
  runtime: 'runsc',
};

function bind(Source: string, Target = '/mirror', ReadOnly = true): HostConfig['Mounts'] {
  return [{ Type: 'bind', Source, Target, ReadOnly }];
}

describe('hostConfig', () => {
  it('is exactly this', () => {
    expect(hostConfig(USUAL)).toEqual({
      Privileged: false,
      CapAdd: [],
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Tmpfs: {
        '/tmp': 'rw,nosuid,nodev,exec,mode=1777,size=536870912',
        '/home/agent': 'rw,nosuid,nodev,exec,mode=0700,uid=1000,gid=1000,size=805306368',
      },
      Mounts: [
        { Type: 'volume', Source: 'maestro-abc-lane', Target: '/lane', ReadOnly: false },
        {
          Type: 'bind',
          Source: '/var/lib/maestro/mirrors/1.git',
          Target: '/mirror',
          ReadOnly: true,
          BindOptions: { Propagation: 'rprivate' },
        },
        {
          Type: 'bind',
          Source: '/var/lib/maestro/gateway/s.sock',
          Target: '/run/maestro/gateway.sock',
          ReadOnly: true,
          BindOptions: { Propagation: 'rprivate' },
        },
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
      ShmSize: 67_108_864,
      Init: true,
      PidsLimit: 256,
      Memory: 2_147_483_648,
      MemorySwap: 2_147_483_648,
      NanoCpus: 1_500_000_000,
      OomScoreAdj: 500,
      OomKillDisable: false,
      Ulimits: [
        { Name: 'nofile', Soft: 16_384, Hard: 16_384 },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      Runtime: 'runsc',
    });
  });

  it('breaks no rule, whatever valid job it is for', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,59}$/);
    const path = fc.array(name, { minLength: 1, maxLength: 6 }).map((parts) => `/srv/${parts.join('/')}`);
    const confinement = fc.record({
      tree: fc.constantFrom(undefined, 'maestro-abc-tree-1-c-ff'),
      volume: name,
      mirror: path,
      socket: fc.option(path, { nil: undefined }),
      limits: fc.record({
        memoryBytes: fc.integer({ min: 6 * 1024 * 1024, max: 2 ** 42 }),
        cpus: fc.double({ min: 0.01, max: 256, noNaN: true }),
        pids: fc.integer({ min: 1, max: 100_000 }),
      }),
      runtime: fc.option(fc.constantFrom('runc', 'runsc', 'kata'), { nil: undefined }),
    });
    fc.assert(
      fc.property(confinement, (valid) => {
        expect(violations(hostConfig(valid))).toEqual([]);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('violations', () => {
  const weakenings: [string, Partial<HostConfig> & Record<string, unknown>][] = [
    ['privileged', { Privileged: true }],
    ['capabilities kept', { CapDrop: [] }],
    ['some capabilities dropped', { CapDrop: ['NET_RAW'] }],
    ['a capability added', { CapAdd: ['SYS_PTRACE'] }],
    ['privileges to be gained', { SecurityOpt: [] }],
    ['no seccomp', { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] }],
    ['no apparmor', { SecurityOpt: ['apparmor=unconfined'] }],
    ['a writable root', { ReadonlyRootfs: false }],
    ['a bridge', { NetworkMode: 'bridge' }],
    ["the host's network", { NetworkMode: 'host' }],
    ["another container's network", { NetworkMode: 'container:abc' }],
    ['ports', { PortBindings: { '80/tcp': [{}] } }],
    ['all ports', { PublishAllPorts: true }],
    ['host names', { ExtraHosts: ['a:1.2.3.4'] }],
    ['links', { Links: ['a:b'] }],
    ['a bind', { Binds: ['/srv:/srv'] }],
    ["another's volumes", { VolumesFrom: ['abc'] }],
    ['a writable mirror', { Mounts: bind('/srv/m', '/mirror', false) }],
    ['a mount elsewhere', { Mounts: bind('/srv/m', '/srv') }],
    ['a host directory for a lane', { Mounts: bind('/srv/m', '/lane') }],
    ["the host's root", { Mounts: bind('/') }],
    ["the host's settings", { Mounts: bind('/etc/ssh') }],
    ["the host's processes", { Mounts: bind('/proc/1') }],
    ['the engine', { Mounts: bind('/var/run/docker.sock', '/run/maestro/gateway.sock') }],
    ['containerd', { Mounts: bind('/run/containerd/containerd.sock', '/run/maestro/gateway.sock') }],
    ['a way up', { Mounts: bind('/srv/../etc') }],
    ['unlimited memory files', { Tmpfs: { '/tmp': 'rw,nosuid,nodev' } }],
    ['set-user-id files in /tmp', { Tmpfs: { '/tmp': 'rw,nodev,size=100' } }],
    ['a device', { Devices: [{ PathOnHost: '/dev/kvm' }] }],
    ['a device rule', { DeviceCgroupRules: ['a *:* rwm'] }],
    ['a graphics card', { DeviceRequests: [{ Driver: 'nvidia' }] as never }],
    ["the host's processes", { PidMode: 'host' }],
    ["the host's shared memory", { IpcMode: 'host' }],
    ["the host's name", { UTSMode: 'host' }],
    ["the host's users", { UsernsMode: 'host' }],
    ["the host's cgroups", { CgroupnsMode: 'host' as never }],
    ['a cgroup elsewhere', { CgroupParent: '/system.slice' }],
    ['all of /proc', { MaskedPaths: [] }],
    ['a writable /proc/sys', { ReadonlyPaths: [] }],
    ['no init', { Init: false }],
    ['any number of processes', { PidsLimit: 0 }],
    ['endless processes', { PidsLimit: -1 }],
    ['any amount of memory', { Memory: 0 }],
    ['no death for want of memory', { OomKillDisable: true }],
    ['swap', { MemorySwap: -1 }],
    ['any amount of processor time', { NanoCpus: 0 }],
    ['any number of files', { Ulimits: [] }],
    ['logs with the engine', { LogConfig: { Type: 'json-file', Config: {} } }],
    ['another start', { RestartPolicy: { Name: 'always' } }],
    ['kernel settings', { Sysctls: { 'net.ipv4.ip_forward': '1' } }],
    ['a group', { GroupAdd: ['docker'] }],
  ];

  it.each(weakenings)('sees %s', (_what, weakening) => {
    const sound = hostConfig(USUAL);
    expect(violations(sound)).toEqual([]);
    expect(violations({ ...sound, ...weakening })).not.toEqual([]);
  });
});
