import type * as Wire from '../wire/generated/api.js';
import { diffValues, formatChange, isSame, type FieldChange } from './diff.js';
import { routerGroup } from '../services/router.js';

export type UpdateEffect =
  /** The stored spec changes, nothing that runs notices. */
  | 'in-place'
  /** Replicas are replaced one after another. */
  | 'rolling';

export interface UpdateCheck {
  readonly changes: readonly FieldChange[];
  /** The strongest effect of the changes that are possible; null when nothing changes. */
  readonly effect: UpdateEffect | null;
  /** Why the update needs a stop first, one sentence per obstacle; empty: it can be done. */
  readonly blockers: readonly string[];
}

type RunConfiguration = Wire.RunSpec['configuration'];

const ANY_IN_PLACE: ReadonlySet<string> = new Set(['priority']);
const SERVICE_IN_PLACE: ReadonlySet<string> = new Set(['replicas', 'groups', 'scaling']);
const SERVICE_ROLLING: ReadonlySet<string> = new Set([
  'port',
  'probes',
  'resources',
  'volumes',
  'docker',
  'files',
  'image',
  'user',
  'privileged',
  'entrypoint',
  'working_dir',
  'python',
  'nvcc',
  'single_branch',
  'env',
  'shell',
  'commands',
]);
const SPEC_IN_PLACE: ReadonlySet<string> = new Set(['configuration_path']);
const SERVICE_SPEC_ROLLING: ReadonlySet<string> = new Set(['repo_data', 'repo_code_hash', 'file_archives']);

/** What an active run becomes when a changed spec is applied to it, and what stands in the way. Both specs are effective ones. */
export function checkRunUpdate(current: Wire.RunSpec, next: Wire.RunSpec): UpdateCheck {
  const changes = diffValues(current, next);
  if (changes.length === 0) return { changes, effect: null, blockers: [] };
  const verdicts = [...configurationVerdicts(current, next), ...specVerdicts(current, next)];
  const blockers = [
    ...verdicts.flatMap((verdict) => verdict.blockers),
    ...routerBlockers(current.configuration, next.configuration),
  ];
  const effect = verdicts.some((verdict) => verdict.effect === 'rolling') ? 'rolling' : 'in-place';
  return { changes, effect, blockers };
}

interface Verdict {
  readonly effect: UpdateEffect;
  readonly blockers: readonly string[];
}

const IN_PLACE: Verdict = { effect: 'in-place', blockers: [] };
const ROLLING: Verdict = { effect: 'rolling', blockers: [] };

function configurationVerdicts(current: Wire.RunSpec, next: Wire.RunSpec): Verdict[] {
  const before = current.configuration;
  const after = next.configuration;
  if (before.type !== after.type) {
    return [
      {
        effect: 'in-place',
        blockers: [`configuration type: ${before.type ?? ''} → ${after.type ?? ''} needs another run`],
      },
    ];
  }
  return changedFields(before, after).map((field) => configurationVerdict(field, current, next));
}

function configurationVerdict(field: string, current: Wire.RunSpec, next: Wire.RunSpec): Verdict {
  const before = current.configuration;
  const after = next.configuration;
  if (ANY_IN_PLACE.has(field)) return IN_PLACE;
  if (field === 'inactivity_duration' && after.type === 'dev-environment') return IN_PLACE;
  if (field === 'files' && isSame(current.file_archives, next.file_archives)) return IN_PLACE;
  if (field === 'resources' && onlyDropsArchitecture(before.resources, after.resources)) return IN_PLACE;
  if (before.type === 'service' && after.type === 'service') {
    if (field === 'replicas') return groupVerdict(before, after);
    if (SERVICE_IN_PLACE.has(field)) return IN_PLACE;
    if (SERVICE_ROLLING.has(field)) return ROLLING;
    if (field === 'https' && (before.https ?? true) === (after.https ?? true)) return IN_PLACE;
  }
  return { effect: 'in-place', blockers: blockedBy(before, after, field, 'configuration') };
}

// Counts change in place; another definition of a group replaces the replicas of that group.
function groupVerdict(before: Wire.ServiceConfiguration, after: Wire.ServiceConfiguration): Verdict {
  if (!Array.isArray(before.replicas) || !Array.isArray(after.replicas)) return IN_PLACE;
  const old = new Map(before.replicas.map((group) => [group.name, group]));
  const redefined = after.replicas.some((group) => {
    const was = old.get(group.name);
    return was !== undefined && !isSame(definition(was), definition(group));
  });
  return redefined ? ROLLING : IN_PLACE;
}

function definition({ count: _count, scaling: _scaling, ...rest }: Wire.ReplicaGroup): unknown {
  return rest;
}

function specVerdicts(current: Wire.RunSpec, next: Wire.RunSpec): Verdict[] {
  const isService = current.configuration.type === 'service' && next.configuration.type === 'service';
  return changedFields(current, next)
    .filter((field) => field !== 'configuration')
    .map((field) => {
      if (SPEC_IN_PLACE.has(field)) return IN_PLACE;
      if (isService && SERVICE_SPEC_ROLLING.has(field)) return ROLLING;
      return { effect: 'in-place', blockers: blockedBy(current, next, field, null) };
    });
}

function routerBlockers(before: RunConfiguration, after: RunConfiguration): string[] {
  if (before.type !== 'service' || after.type !== 'service') return [];
  const was = routerGroup(before);
  const is = routerGroup(after);
  if (was === null && is === null) return [];
  if (was?.name !== is?.name || was?.router?.type !== is?.router?.type) {
    return ['the router group cannot be added, removed or changed while the service runs: stop it first'];
  }
  if (was?.router?.type !== 'dynamo') return [];
  const frozen = changedFields(before, after).filter((field) => SERVICE_ROLLING.has(field));
  const routerRedefined = is !== null && !isSame(definition(was), definition(is));
  return frozen.length === 0 && !routerRedefined
    ? []
    : [
        `the Dynamo router would be replaced by changing ${[...frozen, ...(routerRedefined ? ['its group'] : [])].join(', ')}: stop the service first`,
      ];
}

function onlyDropsArchitecture(before: Wire.ResourcesSpec | undefined, after: Wire.ResourcesSpec | undefined): boolean {
  const changes = diffValues(before, after);
  return changes.length === 1 && changes[0]?.path.join('.') === 'cpu.arch' && changes[0].after === null;
}

function changedFields(before: object, after: object): string[] {
  const old = new Map<string, unknown>(Object.entries(before));
  const fresh = new Map<string, unknown>(Object.entries(after));
  return [...new Set([...old.keys(), ...fresh.keys()])].filter((key) => !isSame(old.get(key), fresh.get(key)));
}

function blockedBy(before: object, after: object, field: string, prefix: string | null): string[] {
  const path = prefix === null ? [field] : [prefix, field];
  const old = new Map<string, unknown>(Object.entries(before)).get(field);
  const fresh = new Map<string, unknown>(Object.entries(after)).get(field);
  return diffValues(old, fresh, path).map(formatChange);
}
