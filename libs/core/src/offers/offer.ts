import type { InternalBackendType } from '../wire/internal-values.js';
import { toWireBackend } from '../wire/internal-values.js';
import type * as Wire from '../wire/generated/api.js';

export interface IntRange {
  readonly min?: number | null;
  readonly max?: number | null;
}

/** A place where a job could run: an instance type of a backend, or an existing instance. The wire shape and what planning adds to it. */
export interface Offer extends Omit<Wire.InstanceOfferWithAvailability, 'backend'> {
  backend: InternalBackendType;
  /** Set when the offer is an existing instance (or a share of one) rather than something to create. */
  instance_id?: string;
  /** Why the offer cannot be used now, as a sentence for people. */
  availability_reason?: string;
  /** The disk sizes in GB the backend can give this type; absent: the disk is as `instance.resources.disk` says. */
  disk_range_gb?: IntRange;
  /** The machine is made together with others, by one call, for a task of so many nodes; the price is of one of them. */
  group_nodes?: IntRange;
  /** Of a price that was not asked for just now. */
  priced?: OfferPriceOrigin;
}

export interface OfferPriceOrigin {
  /** When it held, as exact as that is known: `2026-06-18`, `2026`, `mid 2025`. */
  readonly date: string;
  /** Computed from other prices. */
  readonly isDerived: boolean;
}

const USABLE: ReadonlySet<Wire.InstanceAvailability> = new Set(['unknown', 'available', 'idle']);

export function isUsable(offer: Pick<Offer, 'availability'>): boolean {
  return USABLE.has(offer.availability);
}

/** The contract shape: no field that only planning knows, no backend that existing clients reject. */
export function toWireOffer(offer: Offer): Wire.InstanceOfferWithAvailability {
  const {
    instance_id: _id,
    availability_reason: _reason,
    disk_range_gb: _disk,
    group_nodes: _nodes,
    priced: _priced,
    ...wire
  } = offer;
  return { ...wire, backend: toWireBackend(offer.backend) };
}
