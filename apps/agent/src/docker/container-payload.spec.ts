import type { ContainerSpec, GpuVendor, JobStart } from '@dstack/agent-protocol';
import { type ContainerFacts, containerPayload, type PayloadFallbacks } from './container-payload.js';
import { nextFallback } from './start-failure.js';

const spec: ContainerSpec = { image: 'x', privileged: false, network: 'host', mounts: [] };
const job: JobStart = {
  id: 'f3b1',
  runId: 'r',
  runName: 'fox',
  projectName: 'main',
  jobName: 'fox-0-0',
  runtime: 'container',
  container: spec,
  commands: ['true'],
  env: { TOKEN: 'secret' },
  files: [],
  gpuCount: 0,
  ssh: { authorizedKeys: [], listen: { host: '0.0.0.0', port: 10023 } },
  cluster: { nodesNum: 1, nodeRank: 0, nodesIps: [''], gpusPerNode: 0, gpusNum: 0 },
  repoId: 'none',
};
const facts: ContainerFacts = {
  agentId: 'agent-1',
  folder: '/host/folder',
  agentCommand: ['/opt/dstack-agent/node', '/opt/dstack-agent/agent.cjs'],
  sharedDir: '/host/job',
  image: 'x:latest',
  mounts: [],
  cpus: 8,
  gpuVendor: undefined,
  gpuIds: [],
  hasInfiniband: false,
  hasHugepages: false,
  hasSelinux: false,
  env: {},
  shielded: [],
  privileged: false,
};
const usual: PayloadFallbacks = { withoutDisplay: false, withoutInit: false };
const make = (
  more: Partial<ContainerFacts> = {},
  container: Partial<ContainerSpec> = {},
  change: Partial<JobStart> = {},
  fallbacks = usual,
) => containerPayload({ ...job, ...change }, { ...spec, ...container }, { ...facts, ...more }, fallbacks);
const device = (path: string) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' });
const gpu = (gpuVendor: GpuVendor, ...gpuIds: string[]) => ({ gpuVendor, gpuIds });
const CAPABILITIES = ['gpu', 'utility', 'compute', 'graphics', 'video', 'display', 'compat32'];

describe('the create request of a job’s container', () => {
  it.each<[string, ReturnType<typeof make>, object]>([
    [
      'runs the job side from the agent’s folder, as root, with nothing of the image’s own',
      make(),
      {
        name: expect.stringMatching(/^fox-0-0-[0-9a-f]{8}$/) as string,
        Image: 'x:latest',
        User: '0:0',
        WorkingDir: '/',
        Entrypoint: ['/opt/dstack-agent/node', '/opt/dstack-agent/agent.cjs', 'job', '--dir', '/run/dstack/job'],
        Cmd: [],
        Labels: { 'ai.dstack.agent': 'agent-1', 'ai.dstack.job': 'f3b1' },
        HostConfig: {
          NetworkMode: 'host',
          Privileged: false,
          RestartPolicy: { Name: 'no' },
          Mounts: [
            { Type: 'bind', Source: '/host/folder', Target: '/opt/dstack-agent', ReadOnly: true },
            { Type: 'bind', Source: '/host/job', Target: '/run/dstack/job' },
          ],
        },
      },
    ],
    [
      'gives limits, but never more processors than there are',
      make({}, {}, { limits: { cpus: 64, memoryBytes: 1024 } }),
      { HostConfig: { NanoCpus: 8e9, Memory: 1024 } },
    ],
    [
      'makes shared memory executable',
      make({}, { shmBytes: 99 }),
      { HostConfig: { ShmSize: 99, Tmpfs: { '/dev/shm': 'exec,size=99' } } },
    ],
    [
      'publishes SSH of a bridge on loopback',
      make({}, { network: 'bridge' }),
      {
        ExposedPorts: { '10023/tcp': {} },
        HostConfig: { NetworkMode: 'bridge', PortBindings: { '10023/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
      },
    ],
    ['is privileged when the job asks', make({}, { privileged: true }), { HostConfig: { Privileged: true } }],
    ['is privileged when the agent is told', make({ privileged: true }), { HostConfig: { Privileged: true } }],
    [
      'lets RDMA pin memory',
      make({ hasInfiniband: true }),
      { HostConfig: { Devices: [device('/dev/infiniband')], Ulimits: [{ Name: 'memlock', Soft: -1, Hard: -1 }] } },
    ],
    ['reads bind mounts under SELinux', make({ hasSelinux: true }), { HostConfig: { SecurityOpt: ['label=disable'] } }],
    [
      'passes proxies on and shields the agent',
      make({ env: { no_proxy: 'a' }, shielded: ['LD_PRELOAD'] }),
      { Env: ['no_proxy=a', 'LD_PRELOAD='] },
    ],
    [
      'NVIDIA: by UUID',
      make(gpu('nvidia', 'GPU-a', 'GPU-b')),
      { HostConfig: { DeviceRequests: [{ Driver: '', DeviceIDs: ['GPU-a', 'GPU-b'], Capabilities: [CAPABILITIES] }] } },
    ],
    [
      'NVIDIA without display',
      make(gpu('nvidia', 'GPU-a'), {}, {}, { ...usual, withoutDisplay: true }),
      { HostConfig: { DeviceRequests: [{ Capabilities: [CAPABILITIES.filter((name) => name !== 'display')] }] } },
    ],
    ['NVIDIA, a job without GPUs sees none', make(gpu('nvidia')), { Env: ['NVIDIA_VISIBLE_DEVICES=void'] }],
    [
      'AMD: kfd and render nodes',
      make(gpu('amd', '/dev/dri/renderD128')),
      {
        HostConfig: {
          Devices: [device('/dev/kfd'), device('/dev/dri/renderD128')],
          IpcMode: 'host',
          CapAdd: ['SYS_PTRACE'],
          SecurityOpt: ['seccomp=unconfined'],
        },
      },
    ],
    [
      'Gaudi: its runtime',
      make(gpu('intel', '0', '3')),
      { Env: ['HABANA_VISIBLE_DEVICES=0,3'], HostConfig: { Runtime: 'habana', IpcMode: 'host', CapAdd: ['SYS_NICE'] } },
    ],
    [
      'Tenstorrent: each chip of a board, and huge pages',
      make({ ...gpu('tenstorrent', '0,1', '2'), hasHugepages: true }),
      {
        HostConfig: {
          Devices: [device('/dev/tenstorrent/0'), device('/dev/tenstorrent/1'), device('/dev/tenstorrent/2')],
          Mounts: expect.arrayContaining([
            { Type: 'bind', Source: '/dev/hugepages-1G', Target: '/dev/hugepages-1G' },
          ]) as object[],
        },
      },
    ],
    [
      'TPU: privileged, with its device',
      make({ pjrtDevice: 'TPU' }),
      { Env: ['PJRT_DEVICE=TPU'], HostConfig: { Privileged: true } },
    ],
  ])('%s', (_what, payload, expected) => {
    expect(payload).toMatchObject(expected);
  });

  it('shows nothing of the job’s environment to whoever may inspect containers', () => {
    expect(JSON.stringify(make())).not.toContain('secret');
  });
});

it.each<[string, PayloadFallbacks, PayloadFallbacks | undefined]>([
  ['stat /dev/nvidia-modeset: no such file or directory', usual, { ...usual, withoutDisplay: true }],
  ['stat /dev/nvidia-modeset: no such file or directory', { ...usual, withoutDisplay: true }, undefined],
  ['exec: "docker-init": executable file not found in $PATH', usual, { ...usual, withoutInit: true }],
  ['port is already allocated', usual, undefined],
])('after "%s" (tried %j) it tries %j', (message, tried, expected) => {
  expect(nextFallback(message, tried)).toEqual(expected);
});
