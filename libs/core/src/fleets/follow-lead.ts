import type { InternalBackendType } from '../wire/internal-values.js';

/** A machine of a cluster that is there or is being made. */
export interface ClusterMember {
  readonly id: string;
  readonly instanceNum: number;
  /** Where its machine is; null: there is none yet. */
  readonly at: ClusterPlace | null;
}

export interface ClusterPlace {
  readonly backend: InternalBackendType;
  readonly region: string;
  readonly zone: string | null;
}

export type ClusterRole =
  /** Chooses the place of the cluster. */
  | { readonly kind: 'lead' }
  /** Made where the first machine will be, which nobody knows yet. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'follow'; readonly at: ClusterPlace };

/** One machine of a cluster is made first, the others go where it is. When it comes to nothing, the next one is the first. */
export function clusterRole(id: string, members: readonly ClusterMember[]): ClusterRole {
  const sorted = [...members].sort((a, b) => a.instanceNum - b.instanceNum);
  const at = sorted.find((member) => member.id !== id && member.at !== null)?.at ?? null;
  if (at !== null) return { kind: 'follow', at };
  return sorted[0] === undefined || sorted[0].id === id ? { kind: 'lead' } : { kind: 'wait' };
}
