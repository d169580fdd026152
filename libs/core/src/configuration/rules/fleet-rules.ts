import { isSingleHostTpu, isTpuName } from '../../offers/known-accelerators.js';
import type * as Wire from '../../wire/generated/api.js';
import { type ConfigurationIssue, semanticIssue } from '../issue.js';
import { checkNodeLimit } from './node-limit.js';
import { checkResourceName } from './resource-name.js';

const cloudOnly = [
  'reservation',
  'resources',
  'backends',
  'regions',
  'availability_zones',
  'instance_types',
  'spot_policy',
  'retry',
  'max_price',
  'idle_duration',
  'tags',
  'backend_options',
] as const;

/** A fleet is of instances we create (`nodes`) or of hosts that exist (`ssh_config`). */
export function checkFleet(fleet: Wire.FleetConfiguration): ConfigurationIssue[] {
  const issues = checkResourceName(fleet.name);
  const ssh = fleet.ssh_config ?? null;
  const hasNodes = (fleet.nodes ?? null) !== null;
  issues.push(...checkNodeLimit(['nodes'], fleet.nodes?.target ?? fleet.nodes?.min ?? 0, 'nodes'));
  issues.push(...checkSlices(fleet));
  if (ssh === null && !hasNodes) issues.push(semanticIssue([], 'either nodes or ssh_config must be set'));
  if (ssh !== null && hasNodes)
    issues.push(semanticIssue(['ssh_config'], 'nodes and ssh_config are mutually exclusive'));
  if (ssh !== null) {
    const refused = cloudOnly.filter((field) => (fleet[field] ?? null) !== null);
    issues.push(
      ...refused.map((field) => semanticIssue([field], `${field} is not supported for a fleet with ssh_config`)),
      ...checkAddresses(ssh),
    );
  } else if (hasNodes && Object.keys(fleet.env ?? {}).length > 0) {
    issues.push(semanticIssue(['env'], 'env is supported only for a fleet with ssh_config'));
  }
  return issues;
}

/** Slices of several hosts are made for the nodes of one task, and end with it: none could wait in a fleet. */
function checkSlices({ nodes, resources }: Wire.FleetConfiguration): ConfigurationIssue[] {
  const kept = Math.max(nodes?.min ?? 0, nodes?.target ?? 0);
  const names = resources?.gpu?.name ?? [];
  const [slice] = names;
  if (kept === 0 || slice === undefined || !names.every(isSlice)) return [];
  const message =
    `${slice} is made of several hosts for the nodes of a task, and ends with it: a fleet cannot keep ${kept} ready. ` +
    'Use nodes: 0.. here, and give the task as many nodes as the slice has hosts';
  return [semanticIssue(['resources', 'gpu'], message)];
}

function isSlice(gpu: string): boolean {
  return isTpuName(gpu) && !isSingleHostTpu(gpu);
}

function checkAddresses(ssh: Wire.SSHParams): ConfigurationIssue[] {
  const issues: ConfigurationIssue[] = [];
  const names = ssh.hosts.map((host) => (typeof host === 'string' ? host : host.hostname));
  if (names.length === 0) issues.push(semanticIssue(['ssh_config', 'hosts'], 'needs at least one host'));
  names.forEach((name, index) => {
    if (names.indexOf(name) !== index)
      issues.push(semanticIssue(['ssh_config', 'hosts', index], `duplicate host ${name}`));
  });
  const withIp = ssh.hosts.filter((host) => typeof host !== 'string' && (host.internal_ip ?? null) !== null).length;
  if (withIp > 0 && withIp < ssh.hosts.length)
    issues.push(semanticIssue(['ssh_config', 'hosts'], 'internal_ip must be set for all hosts or for none'));
  if (withIp > 0 && (ssh.network ?? null) !== null)
    issues.push(semanticIssue(['ssh_config', 'network'], 'network and internal_ip of hosts are mutually exclusive'));
  return issues;
}
