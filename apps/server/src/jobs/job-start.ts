import type { AgentInfo, FileSetup, JobStart, Mount, RepoSetup } from '@dstack/agent-protocol';
import {
  acceleratorJobEnvironment,
  chooseRuntime,
  devicesToLock,
  finishCommands,
  type MachineKind,
  type NodeAddress,
  runtimeFacts,
  type RuntimePreference,
  type Wire,
} from '@dstack/core';
import { interpolateSecrets } from './interpolate-secrets.js';
import type { RepoCredentials } from './job-inputs.js';
import type { JobRecord } from './job-record.js';
import { type RegistryLogin, registryAuthOf } from './registry-login.js';

export interface JobStartFacts {
  readonly job: JobRecord;
  readonly runSpec: Wire.RunSpec;
  readonly runName: string;
  readonly projectName: string;
  readonly agent: AgentInfo;
  readonly machineKind: MachineKind;
  readonly runtimePreference: RuntimePreference;
  readonly secrets: ReadonlyMap<string, string>;
  readonly registryLogin: RegistryLogin | null;
  /** sha256 by archive id. */
  readonly archives: ReadonlyMap<string, string>;
  readonly repoInfo: Readonly<Record<string, unknown>> | null;
  readonly repoCredentials: RepoCredentials | null;
  readonly ssh: JobStart['ssh'];
  /** Of the host's fleet; the run's own values win. */
  readonly hostEnv: Readonly<Record<string, string>>;
  /** The network volumes that were attached for it. */
  readonly volumes: readonly Mount[];
  /** The replica's nodes, by rank. */
  readonly nodes: readonly NodeAddress[];
  /** Of the router that the job is told of; null: it is told of none. */
  readonly routerIp: string | null;
  readonly logQuotaBytesPerHour: number | null;
}

/** A job that no agent could ever run as it is. */
export class JobRefusedError extends Error {
  override readonly name = 'JobRefusedError';
}

export interface BuiltJobStart {
  readonly start: JobStart;
  readonly runtimeReason: string;
}

/** @throws {JobRefusedError | UnknownSecretError} when the job cannot be started anywhere as it is */
export function buildJobStart(facts: JobStartFacts): BuiltJobStart {
  const { job, runSpec, agent } = facts;
  const { spec } = job;
  const hosts = { container: agent.runtimes.container.available, process: agent.runtimes.process.available };
  const choice =
    facts.machineKind === 'containers'
      ? IN_ITS_CONTAINER
      : chooseRuntime(runtimeFacts(runSpec.configuration), hosts, facts.runtimePreference);
  if ('refused' in choice) throw new JobRefusedError(choice.refused);
  const repo = repoSetup(facts);
  const gpus = job.runtimeRecord.offer?.instance.resources.gpus ?? [];
  const start: JobStart = {
    id: job.id,
    runId: job.runId,
    runName: facts.runName,
    projectName: facts.projectName,
    jobName: spec.job_name,
    runtime: choice.runtime,
    ...(choice.runtime === 'container' ? { container: containerSpec(facts) } : {}),
    commands: commandsOf(facts),
    env: {
      ...acceleratorJobEnvironment(gpus),
      ...facts.hostEnv,
      ...mapValues(spec.env, (value) => interpolateSecrets(value, facts.secrets)),
      ...(facts.routerIp === null ? {} : { DSTACK_ROUTER_INTERNAL_IP: facts.routerIp }),
    },
    ...(spec.user ? { user: unixUserText(spec.user) } : {}),
    ...(spec.working_dir ? { workingDir: spec.working_dir } : {}),
    ...(repo === null ? {} : { repo }),
    files: fileSetups(facts),
    gpuCount: devicesToLock(gpus),
    ...limitsOf(job),
    ...(spec.max_duration ? { maxDurationSeconds: spec.max_duration } : {}),
    ...(facts.logQuotaBytesPerHour === null ? {} : { logQuotaBytesPerHour: facts.logQuotaBytesPerHour }),
    ...(runSpec.configuration.dstack === true ? { serverAccess: true } : {}),
    ssh: facts.ssh,
    cluster: clusterSpec(facts),
    repoId: runSpec.repo_id ?? 'none',
  };
  return { start, runtimeReason: choice.because };
}

/** @throws {JobRefusedError} when it names a node without an address */
function commandsOf({ job, nodes }: JobStartFacts): readonly string[] {
  const finished = finishCommands(job.spec.commands, nodes);
  if (finished.ok) return finished.argv;
  throw new JobRefusedError(`no address is known for ${finished.missing.join(', ')}`);
}

const IN_ITS_CONTAINER = { runtime: 'container', because: 'the machine is a container, made for the job' } as const;

/** What is there already has been pulled already: its agent needs no password of a registry. */
function containerSpec({
  job,
  secrets,
  registryLogin,
  machineKind,
  volumes,
}: JobStartFacts): NonNullable<JobStart['container']> {
  const { spec } = job;
  const shmGb = spec.requirements.resources.shm_size ?? null;
  const registryAuth = machineKind === 'hosts' ? registryAuthOf(spec, secrets, registryLogin) : null;
  return {
    image: spec.image_name,
    ...(registryAuth === null ? {} : { registryAuth }),
    privileged: spec.privileged ?? false,
    network: job.runtimeRecord.networkMode,
    ...(shmGb === null ? {} : { shmBytes: Math.round(shmGb * 1024 ** 3) }),
    mounts: [
      ...volumes,
      ...(spec.volumes ?? []).flatMap((mount): Mount[] =>
        'instance_path' in mount
          ? [
              {
                kind: 'instance',
                instancePath: mount.instance_path,
                path: mount.path,
                optional: mount.optional ?? false,
              },
            ]
          : [],
      ),
    ],
  };
}

function repoSetup({ job, repoInfo, repoCredentials }: JobStartFacts): RepoSetup | null {
  const { spec } = job;
  const repo = spec.repo_data;
  if (!repo || repo.repo_type === 'virtual' || spec.repo_exists_action === null) return null;
  const place = { path: spec.repo_dir ?? '/workflow', ifExists: spec.repo_exists_action ?? ('skip' as const) };
  const blob = spec.repo_code_hash ?? null;
  if (repo.repo_type === 'local') return { ...place, kind: 'archive', ...(blob === null ? {} : { blob }) };
  if (repo.repo_type !== 'remote' || !('repo_name' in repo))
    throw new JobRefusedError(`repos of type '${repo.repo_type}' cannot be cloned`);
  const url = repoCredentials?.clone_url ?? repoInfo?.['repo_url'];
  if (typeof url !== 'string') throw new JobRefusedError(`the URL of repo '${repo.repo_name}' is not known`);
  return {
    ...place,
    kind: 'remote',
    url,
    ...(repo.repo_branch ? { branch: repo.repo_branch } : {}),
    ...(repo.repo_hash ? { hash: repo.repo_hash } : {}),
    singleBranch: spec.single_branch ?? true,
    ...(blob === null ? {} : { diffBlob: blob }),
    ...(repo.repo_config_name ? { userName: repo.repo_config_name } : {}),
    ...(repo.repo_config_email ? { userEmail: repo.repo_config_email } : {}),
    ...(repoCredentials === null ? {} : { credentials: credentialsOf(repoCredentials) }),
  };
}

function credentialsOf(creds: RepoCredentials): { oauthToken?: string; privateKey?: string } {
  return {
    ...(creds.oauth_token ? { oauthToken: creds.oauth_token } : {}),
    ...(creds.private_key ? { privateKey: creds.private_key } : {}),
  };
}

function fileSetups({ job, archives }: JobStartFacts): FileSetup[] {
  return (job.spec.file_archives ?? []).map(({ id, path }) => {
    const blob = archives.get(id);
    if (blob === undefined)
      throw new JobRefusedError(`the files for '${path}' are not on the server any more; apply again`);
    return { blob, path };
  });
}

/** A job with a whole machine is not limited; a share is. */
function limitsOf({ runtimeRecord: { offer } }: JobRecord): Pick<JobStart, 'limits'> {
  if (offer === null || (offer.blocks ?? 1) === (offer.total_blocks ?? 1)) return {};
  const { cpus, memory_mib } = offer.instance.resources;
  return { limits: { cpus, memoryBytes: memory_mib * 1024 ** 2 } };
}

function clusterSpec({ job, nodes }: JobStartFacts): JobStart['cluster'] {
  const gpusPerNode = job.runtimeRecord.offer?.instance.resources.gpus.length ?? 0;
  const nodesNum = job.spec.jobs_per_replica ?? 1;
  const key = job.spec.ssh_key;
  return {
    nodesNum,
    nodeRank: job.jobNum,
    nodesIps: nodes.map((node) => node.ip),
    gpusPerNode,
    gpusNum: gpusPerNode * nodesNum,
    ...(key ? { sshKey: { privateKey: key.private, publicKey: key.public } } : {}),
  };
}

function unixUserText(user: Wire.UnixUser): string {
  const name = user.uid ?? user.username ?? '';
  const group = user.gid ?? user.groupname ?? null;
  return group === null ? String(name) : `${name}:${group}`;
}

function mapValues(values: Readonly<Record<string, string>>, map: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
}
