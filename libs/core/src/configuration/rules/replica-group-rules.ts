import type * as Wire from '../../wire/generated/api.js';
import { type ConfigurationIssue, schemaIssue } from '../issue.js';
import { checkImageSources } from './image-sources.js';
import { firstRepeats } from './repeats.js';
import { checkScaling } from './service-rules.js';

const eitherLevel = ['image', 'docker', 'privileged', 'python', 'nvcc', 'spot_policy', 'reservation'] as const;
type LevelField = (typeof eitherLevel)[number];

/** Pairs that must not be split between the service and a group; `python` and `nvcc` may. */
const splitConflicts: readonly (readonly [LevelField, readonly LevelField[]])[] = [
  ['image', ['docker', 'python', 'nvcc']],
  ['docker', ['image', 'python', 'nvcc']],
  ['python', ['image', 'docker']],
  ['nvcc', ['image', 'docker']],
];

export function checkReplicaGroups(
  service: Wire.ServiceConfiguration,
  groups: readonly Wire.ReplicaGroup[],
): ConfigurationIssue[] {
  const issues: ConfigurationIssue[] = [];
  if ((service.scaling ?? null) !== null)
    issues.push(schemaIssue(['scaling'], 'scaling is not allowed at the top level with groups: set it in each group'));
  if ((service.commands ?? []).length > 0)
    issues.push(
      schemaIssue(['commands'], 'commands is not allowed at the top level with groups: set it in each group'),
    );
  if ((service.entrypoint ?? null) !== null && groups.some((group) => (group.commands ?? []).length > 0)) {
    issues.push(
      schemaIssue(['entrypoint'], 'entrypoint is not allowed with the commands of groups: it would replace them'),
    );
  }
  for (const index of firstRepeats(groups.map((group) => group.name ?? ''))) {
    issues.push(schemaIssue(['groups', index, 'name'], `duplicate group name "${groups[index]?.name ?? ''}"`));
  }
  groups.forEach((group, index) => issues.push(...checkGroup(service, group, index)));
  return [...issues, ...checkRouters(service, groups)];
}

function checkGroup(service: Wire.ServiceConfiguration, group: Wire.ReplicaGroup, index: number): ConfigurationIssue[] {
  const at = ['groups', index];
  const issues = [...checkImageSources(group, at), ...checkScaling(group.count, group.scaling, at)];
  for (const field of eitherLevel) {
    if (isSetOnService(service[field]) && isSet(group[field]))
      issues.push(
        schemaIssue([...at, field], `${field} is set for the service and for the group: set it in one place only`),
      );
  }
  for (const [outer, inner] of splitConflicts) {
    if (!isSetOnService(service[outer])) continue;
    for (const field of inner) {
      if (isSet(group[field]) && group[field] !== false)
        issues.push(schemaIssue([...at, field], `${field} of a group conflicts with ${outer} of the service`));
    }
  }
  if (group.docker === true && group.privileged === false)
    issues.push(schemaIssue([...at, 'privileged'], 'docker: true needs privileged containers'));
  const runs = (group.commands ?? []).length > 0 || isSet(group.image) || isSet(service.image);
  if (!runs) issues.push(schemaIssue(at, 'either commands or image must be set'));
  return issues;
}

function checkRouters(service: Wire.ServiceConfiguration, groups: readonly Wire.ReplicaGroup[]): ConfigurationIssue[] {
  const routers = groups.flatMap((group, index) => (isSet(group.router) ? [{ group, index }] : []));
  const issues = routers
    .slice(1)
    .map(({ index }) => schemaIssue(['groups', index, 'router'], 'only one group can have a router'));
  for (const { group, index } of routers) {
    if (group.count.min !== 1 || group.count.max !== 1)
      issues.push(schemaIssue(['groups', index, 'replicas'], 'a group with a router must have exactly 1 replica'));
  }
  const retries = service.retry ?? false;
  if (retries !== false && routers.some(({ group }) => group.router?.type === 'dynamo'))
    issues.push(schemaIssue(['retry'], 'retry is not supported with a dynamo router'));
  return issues;
}

const isSet = (value: unknown): boolean => value !== null && value !== undefined;
/** A boolean of the service counts when it is true: false is the default. */
const isSetOnService = (value: unknown): boolean => isSet(value) && value !== false;
