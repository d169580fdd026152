import type * as Wire from '../../wire/generated/api.js';
import { type ConfigurationIssue, schemaIssue, semanticIssue } from '../issue.js';
import { checkNodeLimit } from './node-limit.js';
import { firstRepeats } from './repeats.js';
import { checkReplicaGroups } from './replica-group-rules.js';
import { checkRun } from './run-rules.js';

const maxProbes = 10;
const maxProbeTimeoutSeconds = 300;

export function checkService(service: Wire.ServiceConfiguration): ConfigurationIssue[] {
  return [
    ...checkRun(service),
    ...checkReplicas(service),
    ...checkProbes(service.probes ?? []),
    ...checkRateLimits(service),
    ...checkSchedule(service),
  ];
}

function checkReplicas(service: Wire.ServiceConfiguration): ConfigurationIssue[] {
  const replicas = service.replicas ?? { min: 1, max: 1 };
  if (Array.isArray(replicas)) {
    const total = replicas.reduce((sum, { count }) => sum + (count?.min ?? 0), 0);
    return [...checkReplicaGroups(service, replicas), ...checkNodeLimit(['groups'], total, 'replicas')];
  }
  const issues = checkScaling(replicas, service.scaling, []);
  issues.push(...checkNodeLimit(['replicas'], replicas.min ?? 0, 'replicas'));
  const hasImage = (service.image ?? null) !== null;
  if ((service.commands ?? []).length === 0 && !hasImage)
    issues.push(schemaIssue([], 'either commands or image must be set'));
  return issues;
}

/** A range needs to know what moves it; a fixed number cannot move. */
export function checkScaling(
  count: { readonly min?: number | null; readonly max?: number | null },
  scaling: Wire.ScalingSpec | null | undefined,
  at: readonly (string | number)[],
): ConfigurationIssue[] {
  const isRange = count.min !== count.max;
  const isSet = (scaling ?? null) !== null;
  if (isRange && !isSet) return [schemaIssue([...at, 'replicas'], 'scaling is required when replicas is a range')];
  if (!isRange && isSet)
    return [
      schemaIssue(
        [...at, 'scaling'],
        'scaling is not allowed when replicas is a fixed number: give a range, like 1..4',
      ),
    ];
  return [];
}

function checkProbes(probes: readonly Wire.ProbeConfig[]): ConfigurationIssue[] {
  const issues = firstRepeats(probes.map((probe) => JSON.stringify(probe))).map((index) =>
    schemaIssue(['probes', index], 'is the same as another probe'),
  );
  probes.forEach(({ method, body, timeout }, index) => {
    if (typeof body === 'string' && (method === 'get' || method === 'head')) {
      issues.push(schemaIssue(['probes', index, 'body'], `a probe with method ${method} cannot have a body`));
    }
    if (typeof timeout === 'number' && timeout > maxProbeTimeoutSeconds) {
      issues.push(
        semanticIssue(['probes', index, 'timeout'], `must be at most ${maxProbeTimeoutSeconds} s, is ${timeout} s`),
      );
    }
  });
  if (probes.length > maxProbes)
    issues.push(semanticIssue(['probes'], `takes at most ${maxProbes} probes, has ${probes.length}`));
  return issues;
}

function checkRateLimits({ rate_limits: limits = [], gateway }: Wire.ServiceConfiguration): ConfigurationIssue[] {
  const issues = firstRepeats(limits.map((limit) => limit.prefix ?? '/')).map((index) =>
    schemaIssue(['rate_limits', index, 'prefix'], `duplicate prefix "${limits[index]?.prefix ?? '/'}"`),
  );
  if (limits.length > 0 && gateway === false)
    issues.push(semanticIssue(['rate_limits'], 'rate limits need a gateway: remove gateway: false'));
  return issues;
}

function checkSchedule({ schedule, replicas }: Wire.ServiceConfiguration): ConfigurationIssue[] {
  if ((schedule ?? null) === null) return [];
  const counts = Array.isArray(replicas) ? replicas.map((group) => group.count) : [replicas ?? { min: 1 }];
  return counts.every((count) => count.min === 0)
    ? [semanticIssue(['schedule'], 'a schedule needs at least one replica: the minimum number of replicas is 0')]
    : [];
}
