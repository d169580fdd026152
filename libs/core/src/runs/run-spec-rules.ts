import { findGroupReferences } from '../jobs/group-references.js';
import { replicaGroups, runGroups } from '../jobs/job-groups.js';
import { probeSpecs } from '../jobs/probe-specs.js';
import { mountPathProblem } from '../jobs/volume-mounts.js';
import { resourceNameProblem } from '../names/name-rules.js';
import type * as Wire from '../wire/generated/api.js';
import { effectiveProfile, retryOf } from './effective-profile.js';
import { needsOwnImage } from './gpu-vendor.js';
import { resourceSites } from './resource-sites.js';
import type { RunSpecIssue } from './run-spec-error.js';

export interface RunSpecLimits {
  readonly maxProbes: number;
  readonly maxProbeTimeoutSeconds: number;
  /** A utilisation window longer than the metrics are kept can never be judged. */
  readonly metricsTtlSeconds: number;
  readonly forbidDstackAccess: boolean;
  readonly forbidServicesWithoutGateway: boolean;
}

export const RUN_SPEC_LIMITS: RunSpecLimits = {
  maxProbes: 10,
  maxProbeTimeoutSeconds: 300,
  metricsTtlSeconds: 3600,
  forbidDstackAccess: false,
  forbidServicesWithoutGateway: false,
};

type Rule = (spec: Wire.RunSpec, limits: RunSpecLimits) => RunSpecIssue[];

/** Everything the server can say about a spec on its own, all at once. */
export function runSpecIssues(spec: Wire.RunSpec, limits: RunSpecLimits): RunSpecIssue[] {
  return RULES.flatMap((rule) => rule(spec, limits));
}

const names: Rule = ({ run_name: runName }) => {
  const problem = runName ? resourceNameProblem('run', runName) : null;
  return problem === null ? [] : [{ path: ['run_name'], message: problem }];
};

const volumes: Rule = ({ configuration }) =>
  (configuration.volumes ?? []).flatMap((mount, index) => {
    const problem = mountPathProblem(mount.path);
    return problem === null ? [] : [{ path: ['configuration', 'volumes', index, 'path'], message: problem }];
  });

const repo: Rule = ({ repo_id: id, repo_data: data }) =>
  Boolean(id) === Boolean(data)
    ? []
    : [{ path: ['repo_id'], message: 'repo_id and repo_data belong together: give both or neither' }];

const utilization: Rule = (spec, { metricsTtlSeconds }) => {
  const policy = effectiveProfile(spec).utilization_policy;
  if (!policy || policy.time_window <= metricsTtlSeconds) return [];
  const message = `utilization_policy.time_window is ${policy.time_window}s, but metrics are kept for ${metricsTtlSeconds}s`;
  return [{ path: ['configuration', 'utilization_policy', 'time_window'], message }];
};

const retryDuration: Rule = (spec) => {
  const retry = retryOf(effectiveProfile(spec).retry);
  if (retry === null || retry.duration >= 0) return [];
  return [{ path: ['configuration', 'retry', 'duration'], message: 'retry.duration must not be negative' }];
};

const probes: Rule = ({ configuration }, { maxProbes, maxProbeTimeoutSeconds }) => {
  if (configuration.type !== 'service') return [];
  const specs = probeSpecs(configuration);
  const issues = specs.flatMap((probe, index) =>
    probe.timeout <= maxProbeTimeoutSeconds
      ? []
      : [
          {
            path: ['configuration', 'probes', index, 'timeout'],
            message: `probe timeout ${probe.timeout}s is over the limit of ${maxProbeTimeoutSeconds}s`,
          },
        ],
  );
  if (specs.length <= maxProbes) return issues;
  return [
    { path: ['configuration', 'probes'], message: `${specs.length} probes, at most ${maxProbes} are allowed` },
    ...issues,
  ];
};

const schedule: Rule = (spec) => {
  const { configuration } = spec;
  if (configuration.type !== 'service' || !effectiveProfile(spec).schedule) return [];
  if (replicaGroups(configuration).some((group) => group.min > 0)) return [];
  const message = 'a scheduled service must start at least one replica: raise `replicas`, or drop `schedule`';
  return [{ path: ['configuration', 'schedule'], message }];
};

const nothingToRun: Rule = ({ configuration }) => {
  if (configuration.type !== 'task' && configuration.type !== 'service') return [];
  if (configuration.entrypoint) return [];
  const groups = runGroups(configuration);
  return groups.flatMap((group, index) => {
    if (group.commands.length > 0 || group.image) return [];
    const name = groups.length > 1 ? `group '${group.name}' has` : 'the configuration has';
    return [
      {
        path: ['configuration', ...(groups.length > 1 ? ['groups', index] : []), 'commands'],
        message: `${name} nothing to run: set \`commands\` or \`image\``,
      },
    ];
  });
};

const groupReferences: Rule = ({ configuration }) => {
  if (configuration.type !== 'task' && configuration.type !== 'service') return [];
  const member = configuration.type === 'task' ? 'nodes' : 'replicas';
  const groups = runGroups(configuration);
  return groups.flatMap(({ commands }, groupIndex) => {
    const within = groupsField(configuration);
    return commands.flatMap((command, index) => {
      const path = ['configuration', ...(within === null ? [] : [within, groupIndex]), 'commands', index];
      return groupReferenceProblems(command, groups, member).map((message) => ({ path, message }));
    });
  });
};

/** Where the groups are written; null when the commands stand at the top. */
function groupsField(configuration: Wire.TaskConfiguration | Wire.ServiceConfiguration): string | null {
  if ('replicas' in configuration && Array.isArray(configuration.replicas)) return 'replicas';
  return 'groups' in configuration && configuration.groups ? 'groups' : null;
}

function groupReferenceProblems(
  command: string,
  groups: readonly { readonly minMembers: number }[],
  member: 'nodes' | 'replicas',
): string[] {
  const { references, malformed } = findGroupReferences(command);
  return [
    ...malformed.map((text) => `${text} is not a reference; write \${{ groups[0].${member}[0].IP_ADDRESS }}`),
    ...references.flatMap((reference) => {
      if (reference.member !== member)
        return [`${reference.text}: the groups of a ${member === 'nodes' ? 'task' : 'service'} have ${member}, not ${reference.member}`]; // prettier-ignore
      if (reference.index < (groups[reference.group]?.minMembers ?? 0)) return [];
      return [`${reference.text} is out of range: ${rangeHint(groups, reference.group, member)}`];
    }),
  ];
}

function rangeHint(groups: readonly { minMembers: number }[], index: number, member: string): string {
  const group = groups[index];
  if (group === undefined) return `there are ${groups.length} groups`;
  return `group ${index} always has ${group.minMembers} ${member}`;
}

const cpuArchitecture: Rule = ({ configuration }) =>
  resourceSites(configuration).flatMap(({ path, label, resources, image }) => {
    if (resources.cpu?.arch !== 'arm') return [];
    if (image.docker === true)
      return [{ path, message: `${label}docker: true runs on x86 only, but resources ask for arm` }];
    if (!image.image) return [{ path, message: `${label}the default image is x86 only: set \`image\` to use arm` }];
    return [];
  });

const gpuVendor: Rule = ({ configuration }) =>
  resourceSites(configuration).flatMap(({ path, label, resources, image }) => {
    const vendors = needsOwnImage(resources, image);
    if (vendors.length === 0) return [];
    return [{ path, message: `${label}the default image has no libraries for ${vendors.join(', ')}: set \`image\`` }];
  });

const environment: Rule = ({ configuration }) => {
  const { env } = configuration;
  const unresolved = Array.isArray(env)
    ? env.filter((line) => !line.includes('='))
    : Object.entries(env ?? {}).flatMap(([key, value]) => (typeof value === 'string' ? [] : [key]));
  if (unresolved.length === 0) return [];
  return [
    {
      path: ['configuration', 'env'],
      message: `no value for environment variables: ${[...unresolved].sort().join(', ')}`,
    },
  ];
};

const dstackAccess: Rule = ({ configuration }, { forbidDstackAccess }) =>
  configuration.dstack === true && forbidDstackAccess
    ? [
        {
          path: ['configuration', 'dstack'],
          message: 'this server does not give runs access to itself: remove `dstack: true`',
        },
      ]
    : [];

const RULES: readonly Rule[] = [
  names,
  volumes,
  repo,
  utilization,
  retryDuration,
  probes,
  schedule,
  nothingToRun,
  groupReferences,
  cpuArchitecture,
  gpuVendor,
  environment,
  dstackAccess,
];
