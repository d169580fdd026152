import type { ContainerSpec, GpuVendor, JobStart } from '@dstack/agent-protocol';
import type { ContainerCreateOptions, MountSettings } from 'dockerode';
import type { BindMount } from './bind-mount.js';
import { AGENT_LABEL, JOB_LABEL } from './container-labels.js';
import { containerName } from './container-name.js';
import { grantGpus } from './gpu-host-config.js';

/** Where the agent's folder and the job's directory are in every container. */
export const AGENT_PATH = '/opt/dstack-agent';
export const JOB_PATH = '/run/dstack/job';
export const DEFAULT_SSH_PORT = 10022;

/** What the host decides about a container, beside the job. */
export interface ContainerFacts {
  readonly agentId: string;
  /** The agent's self-contained folder on this host. */
  readonly folder: string;
  /** argv of the agent as seen at {@link AGENT_PATH}. */
  readonly agentCommand: readonly string[];
  readonly sharedDir: string;
  /** The image as the engine knows it. */
  readonly image: string;
  readonly mounts: readonly BindMount[];
  readonly cpus: number;
  readonly gpuVendor: GpuVendor | undefined;
  readonly gpuIds: readonly string[];
  readonly hasInfiniband: boolean;
  readonly hasHugepages: boolean;
  readonly hasSelinux: boolean;
  /** Environment passed on from the agent's own: proxies. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables of the image that must be empty for the agent's sake. */
  readonly shielded: readonly string[];
  readonly privileged: boolean;
  readonly pjrtDevice?: string | undefined;
}

/** Changes to the usual payload that an engine has asked for by refusing it. */
export interface PayloadFallbacks {
  readonly withoutDisplay: boolean;
  readonly withoutInit: boolean;
}

export function containerPayload(
  job: JobStart,
  spec: ContainerSpec,
  facts: ContainerFacts,
  fallbacks: PayloadFallbacks,
): ContainerCreateOptions {
  const gpus = grantGpus({
    vendor: facts.gpuVendor,
    lockIds: facts.gpuIds,
    withoutDisplay: fallbacks.withoutDisplay,
    hasHugepages: facts.hasHugepages,
    pjrtDevice: facts.pjrtDevice,
  });
  const devices = [...gpus.devices, ...(facts.hasInfiniband ? ['/dev/infiniband'] : [])];
  const security = [...gpus.securityOptions, ...(facts.hasSelinux ? ['label=disable'] : [])];
  return {
    name: containerName(job.jobName, job.id),
    Image: facts.image,
    // Commands run as the job's user; what starts them must be able to become any.
    // By number: an image need not have a passwd file.
    User: '0:0',
    WorkingDir: '/',
    Entrypoint: [...facts.agentCommand, 'job', '--dir', JOB_PATH],
    Cmd: [],
    // No variable of the job: whoever may inspect containers would read its secrets.
    Env: [
      ...Object.entries(facts.env).map(([name, value]) => `${name}=${value}`),
      ...gpus.env,
      ...facts.shielded.map((name) => `${name}=`),
    ],
    Labels: { [AGENT_LABEL]: facts.agentId, [JOB_LABEL]: job.id },
    ...ports(job, spec),
    HostConfig: {
      ...gpus.hostConfig,
      ...network(job, spec),
      ...memory(spec),
      ...limits(job, facts.cpus),
      Mounts: mounts(facts, gpus.binds),
      RestartPolicy: { Name: 'no' },
      Privileged: spec.privileged || facts.privileged || gpus.needsPrivilege,
      // The agent is no init: orphans of the job would stay as zombies.
      Init: !fallbacks.withoutInit,
      // Only for the case that the agent cannot start; the job's output has its own bounded place.
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '1' } },
      ...(devices.length === 0 ? {} : { Devices: devices.map(deviceMapping) }),
      ...(security.length === 0 ? {} : { SecurityOpt: security }),
      // RDMA pins the memory it reads and writes.
      ...(facts.hasInfiniband ? { Ulimits: [{ Name: 'memlock', Soft: -1, Hard: -1 }] } : {}),
    },
  };
}

export function sshPortKey(job: JobStart): string {
  return `${job.ssh.listen?.port || DEFAULT_SSH_PORT}/tcp`;
}

function ports(job: JobStart, spec: ContainerSpec): Pick<ContainerCreateOptions, 'ExposedPorts'> {
  return spec.network === 'bridge' && job.ssh.listen !== undefined ? { ExposedPorts: { [sshPortKey(job)]: {} } } : {};
}

function network(job: JobStart, spec: ContainerSpec) {
  if (spec.network === 'host') return { NetworkMode: 'host' };
  if (job.ssh.listen === undefined) return { NetworkMode: 'bridge' };
  // On loopback: the way in is the host's own SSH.
  return { NetworkMode: 'bridge', PortBindings: { [sshPortKey(job)]: [{ HostIp: '127.0.0.1', HostPort: '' }] } };
}

/** The engine mounts its own `/dev/shm` without `exec`, which breaks libraries that map code there. */
function memory(spec: ContainerSpec) {
  const { shmBytes } = spec;
  return shmBytes === undefined ? {} : { ShmSize: shmBytes, Tmpfs: { '/dev/shm': `exec,size=${shmBytes}` } };
}

/** The engine refuses more processors than there are. */
function limits({ limits: share }: JobStart, cpus: number) {
  return {
    ...(share?.cpus === undefined ? {} : { NanoCpus: Math.round(Math.min(share.cpus, cpus) * 1e9) }),
    ...(share?.memoryBytes === undefined ? {} : { Memory: Math.floor(share.memoryBytes) }),
  };
}

/** As `Mounts`, not `Binds`: a path may hold a colon, and a missing source is an error instead of a new directory of root's. */
function mounts(facts: ContainerFacts, more: readonly BindMount[]): MountSettings[] {
  const bind = ({ hostPath, path }: BindMount): MountSettings => ({ Type: 'bind', Source: hostPath, Target: path });
  return [
    ...[...more, ...facts.mounts].map(bind),
    { ...bind({ hostPath: facts.folder, path: AGENT_PATH }), ReadOnly: true },
    bind({ hostPath: facts.sharedDir, path: JOB_PATH }),
  ];
}

function deviceMapping(path: string) {
  return { PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' };
}
