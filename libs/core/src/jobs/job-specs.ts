import { requirementsOf } from '../offers/requirements.js';
import { DEFAULT_STOP_DURATION_SECONDS, effectiveProfile, retryOf, secondsOrOff } from '../runs/effective-profile.js';
import { runSpecIssue } from '../runs/run-spec-error.js';
import { jobName } from '../names/derived-names.js';
import { routerGroup } from '../services/router.js';
import type * as Wire from '../wire/generated/api.js';
import { jobArgv } from './job-commands.js';
import { nodeGroups, replicaGroups, type NodeGroup, type ReplicaGroup } from './job-groups.js';
import {
  IMAGE_DEFAULTS,
  imageKind,
  imageName,
  impliedArchitecture,
  type ImageChoice,
  type ImageConfig,
  type ImageDefaults,
} from './image.js';
import { probeSpecs } from './probe-specs.js';
import { parseUnixUser } from './unix-user.js';
import { jobVolumes } from './volume-mounts.js';

export interface JobSpecOptions {
  readonly replicaNum: number;
  /** Services: the group the replica belongs to; default the first. */
  readonly replicaGroup?: string;
  readonly images?: ImageDefaults;
  /** What the registry said of an image, by the name in the job spec; null when nobody asked or it did not answer. */
  readonly imageConfig?: (image: string) => ImageConfig | null;
  /** The pair the nodes of a replica use among themselves; only multi-node jobs carry it. */
  readonly sshKey?: Wire.JobSSHKey | null;
}

const LEGACY_REPO_DIR = '/workflow';

/** The jobs of one replica of a run whose spec has been normalised, ordered by rank. */
export function buildJobSpecs(spec: Wire.RunSpec, options: JobSpecOptions): Wire.JobSpec[] {
  const { configuration } = spec;
  switch (configuration.type) {
    case 'task':
      return taskJobs(spec, configuration, options);
    case 'service':
      return [serviceJob(spec, configuration, options)];
    case 'dev-environment':
      return [devEnvironmentJob(spec, configuration, options)];
    default:
      throw runSpecIssue(
        ['configuration', 'type'],
        'the configuration has no run type; use task, service or dev-environment',
      );
  }
}

function taskJobs(spec: Wire.RunSpec, configuration: Wire.TaskConfiguration, options: JobSpecOptions): Wire.JobSpec[] {
  const groups = nodeGroups(configuration);
  const total = groups.reduce((sum, group) => sum + group.nodes, 0);
  const ranks = groups.flatMap((group) => Array.from({ length: group.nodes }, (_node, index) => ({ group, index })));
  return ranks.map(({ group, index }, jobNum) => ({
    ...commonJobSpec(spec, options, {
      jobNum,
      jobsPerReplica: total,
      resources: group.resources,
      commands: group.commands,
      image: configuration,
      privileged: configuration.privileged ?? false,
    }),
    app_specs: appSpecs(group.ports),
    ...nodeGroupFields(group, index),
  }));
}

function serviceJob(
  spec: Wire.RunSpec,
  configuration: Wire.ServiceConfiguration,
  options: JobSpecOptions,
): Wire.JobSpec {
  const group = findReplicaGroup(configuration, options.replicaGroup);
  const common = commonJobSpec(spec, options, {
    jobNum: 0,
    jobsPerReplica: 1,
    resources: group.resources,
    commands: group.commands,
    image: group,
    privileged: group.privileged,
    spotPolicy: group.spotPolicy,
    reservation: group.reservation,
  });
  return {
    ...common,
    replica_group: group.name,
    service_port: containerPort(configuration.port),
    probes: asksForChat(configuration, group) ? probeSpecs(configuration) : [],
  };
}

/** Workers behind a router may answer a part of each chat only: unless probes are written down, the router alone is probed by one. */
function asksForChat(configuration: Wire.ServiceConfiguration, { router }: ReplicaGroup): boolean {
  return (configuration.probes ?? null) !== null || router !== null || routerGroup(configuration) === null;
}

function devEnvironmentJob(
  spec: Wire.RunSpec,
  configuration: Wire.DevEnvironmentConfiguration,
  options: JobSpecOptions,
): Wire.JobSpec {
  return {
    ...commonJobSpec(spec, options, {
      jobNum: 0,
      jobsPerReplica: 1,
      resources: configuration.resources ?? {},
      commands: [],
      image: configuration,
      privileged: configuration.privileged ?? false,
    }),
    app_specs: appSpecs(configuration.ports ?? []),
  };
}

interface JobFacts {
  readonly jobNum: number;
  readonly jobsPerReplica: number;
  readonly resources: Wire.ResourcesSpec;
  readonly commands: readonly string[];
  readonly image: ImageChoice & { readonly python?: Wire.PythonVersion | null };
  readonly privileged: boolean;
  readonly spotPolicy?: Wire.SpotPolicy | null;
  readonly reservation?: string | null;
}

function commonJobSpec(spec: Wire.RunSpec, options: JobSpecOptions, facts: JobFacts): Wire.JobSpec {
  const { configuration } = spec;
  const images = options.images ?? IMAGE_DEFAULTS;
  const profile = effectiveProfile(spec);
  const image = imageName(facts.image, images);
  const kind = imageKind(facts.image);
  const imageConfig = kind === 'custom' ? (options.imageConfig?.(image) ?? null) : null;
  const runName = spec.run_name ?? 'dry-run';
  const limits = {
    ...profile,
    spot_policy: facts.spotPolicy ?? profile.spot_policy ?? null,
    reservation: facts.reservation ?? profile.reservation ?? null,
  };
  const resources = withArchitecture(facts.resources, impliedArchitecture(kind, imageConfig));
  return {
    replica_num: options.replicaNum,
    job_num: facts.jobNum,
    job_name: jobName(runName, facts.jobNum, options.replicaNum),
    jobs_per_replica: facts.jobsPerReplica,
    replica_group: '0',
    app_specs: [],
    user: userOf(configuration.user, imageConfig),
    commands: jobArgv({
      configuration,
      runName,
      commands: facts.commands,
      image: facts.image,
      imageConfig,
      defaultPython: images.python,
    }),
    env: resolvedEnv(configuration.env),
    home_dir: configuration.home_dir ?? '/root',
    image_name: image,
    privileged: facts.privileged || facts.image.docker === true,
    single_branch: configuration.single_branch ?? configuration.type !== 'dev-environment',
    max_duration: secondsOrOff(profile.max_duration, null),
    stop_duration: secondsOrOff(profile.stop_duration, DEFAULT_STOP_DURATION_SECONDS),
    utilization_policy: profile.utilization_policy ?? null,
    registry_auth: configuration.registry_auth ?? null,
    requirements: requirementsOf(resources, limits, { jobsPerReplica: facts.jobsPerReplica }),
    retry: retryOf(profile.retry),
    volumes: jobVolumes(configuration.volumes, facts.jobNum),
    ssh_key: facts.jobsPerReplica > 1 ? (options.sshKey ?? null) : null,
    working_dir: workingDir(configuration.working_dir),
    ...repoFields(spec),
    file_archives: spec.file_archives ?? [],
    service_port: null,
    probes: [],
    node_group_index: 0,
    node_group_name: '0',
    node_group_job_index: 0,
  };
}

function nodeGroupFields(group: NodeGroup, index: number): Partial<Wire.JobSpec> {
  return { node_group_index: group.index, node_group_name: group.name, node_group_job_index: index };
}

function findReplicaGroup(configuration: Wire.ServiceConfiguration, name: string | undefined): ReplicaGroup {
  const groups = replicaGroups(configuration);
  const group = name === undefined ? groups[0] : groups.find((each) => each.name === name);
  if (group !== undefined) return group;
  throw runSpecIssue(['configuration', 'replicas'], `the service has no replica group '${name ?? ''}'`);
}

function appSpecs(ports: readonly Wire.PortMapping[]): Wire.AppSpec[] {
  return ports.map((mapping, index) => ({
    port: mapping.container_port,
    map_to_port: mapping.local_port ?? null,
    app_name: `app_${index}`,
    url_path: null,
    url_query_params: null,
  }));
}

function containerPort(port: Wire.ServiceConfiguration['port']): number {
  if (typeof port === 'object') return port.container_port;
  return Number(String(port).split(':').at(-1));
}

function withArchitecture(resources: Wire.ResourcesSpec, arch: Wire.CPUArchitecture | null): Wire.ResourcesSpec {
  if (arch === null || resources.cpu?.arch) return resources;
  return { ...resources, cpu: { ...resources.cpu, arch } };
}

function userOf(user: string | null | undefined, imageConfig: ImageConfig | null): Wire.UnixUser | null {
  const text = user ?? imageConfig?.user ?? null;
  if (!text) return null;
  const parsed = parseUnixUser(text);
  if (parsed !== null) return parsed;
  throw runSpecIssue(
    ['configuration', 'user'],
    `user '${text}' must be a name or id, optionally followed by ':' and a group`,
  );
}

function resolvedEnv(env: Wire.Env | undefined): Record<string, string> {
  if (env === undefined) return {};
  const entries = Array.isArray(env) ? env.map(splitEnvLine) : Object.entries(env);
  const resolved: Record<string, string> = {};
  const unresolved: string[] = [];
  for (const [key, value] of entries) {
    if (typeof value === 'string') resolved[key] = value;
    else unresolved.push(key);
  }
  if (unresolved.length === 0) return resolved;
  const names = unresolved.sort().join(', ');
  throw runSpecIssue(
    ['configuration', 'env'],
    `no value for environment variables: ${names}. Set them where the run is applied, or give values`,
  );
}

function splitEnvLine(line: string): [string, string | { key: string }] {
  const at = line.indexOf('=');
  return at === -1 ? [line, { key: line }] : [line.slice(0, at), line.slice(at + 1)];
}

function workingDir(path: string | null | undefined): string | null {
  if (!path) return null;
  return path.startsWith('/') || path.startsWith('~') ? path : `${LEGACY_REPO_DIR}/${path}`;
}

function repoFields(
  spec: Wire.RunSpec,
): Pick<Wire.JobSpec, 'repo_data' | 'repo_code_hash' | 'repo_dir' | 'repo_exists_action'> {
  const repo = spec.configuration.repos?.[0];
  return {
    repo_data: spec.repo_data ?? null,
    repo_code_hash: spec.repo_code_hash ?? null,
    repo_dir: spec.repo_dir ?? repo?.path ?? LEGACY_REPO_DIR,
    repo_exists_action: repo === undefined ? null : (repo.if_exists ?? 'error'),
  };
}
