import type { InternalBackendType, InternalInstanceStatus } from '../wire/internal-values.js';
import type * as Wire from '../wire/generated/api.js';
import { shareOfResources } from './blocks.js';
import type { MachineKind } from './machine-kind.js';
import { matchOffer } from './match-offer.js';
import type { Offer } from './offer.js';
import { NO_FILTERS, type OfferFilters } from './offer-filters.js';
import type { RejectionReason } from './rejection.js';

/** An existing machine as placement sees it. */
export interface PoolInstance {
  readonly id: string;
  readonly backend: InternalBackendType;
  readonly instanceType: Wire.InstanceType;
  readonly region: string;
  readonly zone: string | null;
  readonly priceUsdPerHour: number;
  readonly status: InternalInstanceStatus;
  readonly unreachable: boolean;
  readonly health: Wire.HealthStatus;
  /** What is wrong with it, the worst first. */
  readonly healthIncidents?: readonly string[];
  /** Null while the machine is starting and nobody has counted. */
  readonly totalBlocks: number | null;
  readonly busyBlocks: number;
  /** A job's volumes are still being detached. */
  readonly detachingVolumes: boolean;
  /** A container, which was made for one job. */
  readonly kind?: MachineKind;
  /** False: its agent found no container engine. Unknown before it has looked. */
  readonly hasContainers?: boolean;
}

export type InstanceOffer =
  | { readonly ok: true; readonly offer: Offer }
  /** `fits: false` also for machines that would fit but cannot take any job now. */
  | { readonly ok: false; readonly reasons: readonly RejectionReason[]; readonly unusable: string | null };

/** The smallest share of the instance that meets the requirements: idle when enough blocks are free, else busy. */
export function offerOfInstance(
  instance: PoolInstance,
  requirements: Wire.Requirements,
  filters: OfferFilters = NO_FILTERS,
): InstanceOffer {
  const unusable = whyUnusable(instance, filters);
  if (unusable !== null) return { ok: false, reasons: [], unusable };
  const total = instance.totalBlocks ?? 1;
  let reasons: readonly RejectionReason[] = [];
  for (let blocks = requirements.multinode ? total : 1; blocks <= total; blocks += 1) {
    const match = matchOffer(toOffer(instance, blocks, total), requirements, filters);
    if (match.ok) return match;
    reasons = match.reasons;
  }
  return { ok: false, reasons, unusable: null };
}

function whyUnusable(instance: PoolInstance, { containerOnly }: OfferFilters): string | null {
  if (instance.unreachable) return 'unreachable';
  if (instance.health === 'failure')
    return ['its health check fails', ...(instance.healthIncidents ?? []).slice(0, 1)].join(': ');
  if (instance.detachingVolumes) return 'volumes of its last job are still being detached';
  if (instance.status === 'terminating' || instance.status === 'terminated') return instance.status;
  if (instance.kind === 'containers') return 'a container, which was made for one job';
  if (instance.totalBlocks === null) return 'still starting';
  if (containerOnly !== null && instance.hasContainers === false)
    return `no container engine, and ${containerOnly} needs one`;
  return null;
}

function toOffer(instance: PoolInstance, blocks: number, total: number): Offer {
  const isFree = instance.status === 'idle' || (instance.status === 'busy' && total > 1);
  return {
    backend: instance.backend,
    instance_id: instance.id,
    instance: {
      name: instance.instanceType.name,
      resources: shareOfResources(instance.instanceType.resources, blocks, total),
    },
    region: instance.region,
    price: instance.priceUsdPerHour,
    availability: isFree && blocks <= total - instance.busyBlocks ? 'idle' : 'busy',
    availability_zones: instance.zone === null ? null : [instance.zone],
    instance_runtime: 'shim',
    blocks,
    total_blocks: total,
  };
}
