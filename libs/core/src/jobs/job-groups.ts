import type * as Wire from '../wire/generated/api.js';

/** The nodes of a task that are alike: every task has at least one such group. */
export interface NodeGroup {
  readonly index: number;
  readonly name: string;
  readonly nodes: number;
  readonly resources: Wire.ResourcesSpec;
  readonly commands: readonly string[];
  readonly ports: readonly Wire.PortMapping[];
}

export function nodeGroups(configuration: Wire.TaskConfiguration): NodeGroup[] {
  if (configuration.groups) {
    return configuration.groups.map((group, index) => ({
      index,
      name: group.name ?? String(index),
      nodes: group.nodes ?? 1,
      resources: group.resources ?? {},
      commands: group.commands ?? [],
      ports: group.ports ?? [],
    }));
  }
  return [
    {
      index: 0,
      name: '0',
      nodes: configuration.nodes ?? 1,
      resources: configuration.resources ?? {},
      commands: configuration.commands ?? [],
      ports: configuration.ports ?? [],
    },
  ];
}

/** The replicas of a service that are alike, with what they inherit from the service filled in. */
export interface ReplicaGroup {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly scaling: Wire.ScalingSpec | null;
  readonly resources: Wire.ResourcesSpec;
  readonly commands: readonly string[];
  readonly image: string | null;
  readonly python: Wire.PythonVersion | null;
  readonly nvcc: boolean | null;
  readonly docker: boolean | null;
  readonly privileged: boolean;
  readonly spotPolicy: Wire.SpotPolicy | null;
  readonly reservation: string | null;
  readonly router: Wire.ReplicaGroupRouterConfig | null;
}

export function replicaGroups(configuration: Wire.ServiceConfiguration): ReplicaGroup[] {
  const { replicas } = configuration;
  if (Array.isArray(replicas)) {
    return replicas.map((group, index) => fromGroup(configuration, group, index));
  }
  const only: Wire.ReplicaGroup = {
    name: '0',
    count: { min: replicas?.min ?? (replicas?.max === undefined ? 1 : 0), max: replicas?.max ?? replicas?.min ?? 1 },
    scaling: configuration.scaling ?? null,
    resources: configuration.resources ?? {},
    commands: configuration.commands ?? [],
  };
  return [fromGroup(configuration, only, 0)];
}

function fromGroup(service: Wire.ServiceConfiguration, group: Wire.ReplicaGroup, index: number): ReplicaGroup {
  const min = group.count.min ?? 0;
  return {
    name: group.name ?? String(index),
    min,
    max: group.count.max ?? min,
    scaling: group.scaling ?? null,
    resources: group.resources ?? {},
    commands: group.commands ?? [],
    image: group.image ?? service.image ?? null,
    python: group.python ?? service.python ?? null,
    nvcc: group.nvcc ?? service.nvcc ?? null,
    docker: group.docker ?? service.docker ?? null,
    privileged: group.privileged ?? service.privileged ?? false,
    spotPolicy: group.spot_policy ?? null,
    reservation: group.reservation ?? null,
    router: group.router ?? null,
  };
}

/** What node groups and replica groups have in common. */
export interface RunGroup {
  readonly name: string;
  readonly commands: readonly string[];
  readonly resources: Wire.ResourcesSpec;
  readonly image: string | null;
  /** How many members it always has. */
  readonly minMembers: number;
}

export function runGroups(configuration: Wire.RunSpec['configuration']): RunGroup[] {
  switch (configuration.type) {
    case 'task':
      return nodeGroups(configuration).map((group) => ({
        ...group,
        image: configuration.image ?? null,
        minMembers: group.nodes,
      }));
    case 'service':
      return replicaGroups(configuration).map((group) => ({ ...group, minMembers: group.min }));
    default:
      return [
        {
          name: '0',
          commands: [],
          resources: configuration.resources ?? {},
          image: configuration.image ?? null,
          minMembers: 1,
        },
      ];
  }
}

/** How many nodes placement must find at once, to tell a fleet that can never hold the run. */
export function nodesRequired(configuration: Wire.RunSpec['configuration']): number {
  return runGroups(configuration).reduce((sum, group) => sum + group.minMembers, 0);
}
