import type * as Wire from '../wire/generated/api.js';
import { withGpuVendor } from './gpu-vendor.js';
import { groupImage } from './resource-sites.js';
import { RunSpecError } from './run-spec-error.js';
import { RUN_SPEC_LIMITS, runSpecIssues, type RunSpecLimits } from './run-spec-rules.js';

export interface NormaliseOptions {
  /** Of the user who applies; used when the request brings none. */
  readonly userSshPublicKey: string | null;
  readonly limits?: RunSpecLimits;
  /** Only offers are asked for: no vendor is assumed from the default image. */
  readonly forOffersOnly?: boolean;
}

/**
 * The effective spec: what the run will be, with everything the user left to the server filled in.
 * @throws {RunSpecError} with all issues at once
 */
export function normaliseRunSpec(spec: Wire.RunSpec, options: NormaliseOptions): Wire.RunSpec {
  const named = withName(spec);
  const issues = runSpecIssues(named, options.limits ?? RUN_SPEC_LIMITS);
  if (issues.length > 0) throw new RunSpecError(issues);
  return {
    ...named,
    repo_id: named.repo_id ?? 'none',
    repo_data: named.repo_data ?? { repo_type: 'virtual' },
    ssh_key_pub: named.ssh_key_pub || options.userSshPublicKey,
    configuration: withDefaults(named.configuration, options.forOffersOnly ?? false),
  };
}

function withName(spec: Wire.RunSpec): Wire.RunSpec {
  const name = spec.run_name ?? spec.configuration.name ?? null;
  return { ...spec, run_name: name, configuration: { ...spec.configuration, name } };
}

function withDefaults(
  configuration: Wire.RunSpec['configuration'],
  forOffersOnly: boolean,
): Wire.RunSpec['configuration'] {
  const priority = configuration.priority ?? 0;
  switch (configuration.type) {
    case 'task': {
      const { groups } = configuration;
      const nodes = groups ? (configuration.nodes ?? null) : (configuration.nodes ?? 1);
      if (forOffersOnly) return { ...configuration, priority, nodes };
      const resources = withGpuVendor(configuration.resources ?? {}, configuration);
      const vendored = groups?.map((group) => ({
        ...group,
        resources: withGpuVendor(group.resources ?? {}, configuration),
      }));
      return { ...configuration, priority, nodes, resources, groups: vendored ?? null };
    }
    case 'service': {
      if (forOffersOnly) return { ...configuration, priority };
      const resources = withGpuVendor(configuration.resources ?? {}, configuration);
      const { replicas } = configuration;
      if (!Array.isArray(replicas)) return { ...configuration, priority, resources };
      const vendored = replicas.map((group) => ({
        ...group,
        resources: withGpuVendor(group.resources ?? {}, groupImage(configuration, group)),
      }));
      return { ...configuration, priority, resources, replicas: vendored };
    }
    default:
      if (forOffersOnly) return { ...configuration, priority };
      return { ...configuration, priority, resources: withGpuVendor(configuration.resources ?? {}, configuration) };
  }
}
