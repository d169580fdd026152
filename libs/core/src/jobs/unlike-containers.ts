import { mountsVolumes } from '../volumes/network-mounts.js';
import type * as Wire from '../wire/generated/api.js';

type Spec = Pick<Wire.JobSpec, 'image_name' | 'registry_auth' | 'privileged' | 'requirements' | 'volumes'>;

/**
 * Why the nodes of a task cannot be containers that are made by one call, which all start alike; null: they can. What a job brings
 * with it – commands, variables, user – may differ.
 */
export function unlikeContainers(specs: readonly Spec[]): string | null {
  const [first, ...others] = specs;
  if (first === undefined || others.length === 0) return null;
  const differ = (of: (spec: Spec) => unknown): boolean =>
    others.some((spec) => JSON.stringify(of(spec) ?? null) !== JSON.stringify(of(first) ?? null));
  if (differ((spec) => spec.image_name)) return 'its nodes have different images';
  if (differ((spec) => spec.registry_auth)) return 'its nodes have different registry_auth';
  if (differ((spec) => spec.privileged)) return 'privileged is not the same for all of its nodes';
  if (differ((spec) => spec.requirements.resources.shm_size)) return 'its nodes have different shm_size';
  return specs.some(mountsVolumes) ? 'a network volume is with one node at a time' : null;
}
