import type { CapacityReservation } from '@azure/arm-compute';
import { type ArmPlace, parseArmId } from './arm-id.js';

/** What a capacity reservation group holds of one size, in one zone or in its region. */
export interface ReservedSize {
  readonly size: string;
  readonly region: string;
  /** Null: of the whole region. */
  readonly zone: string | null;
  /** Machines that fit beside those that are there. */
  readonly free: number;
}

export interface Reserved {
  /** The resource id of the group. */
  readonly id: string;
  readonly sizes: readonly ReservedSize[];
}

const GROUP_ID =
  /^\/subscriptions\/([^/]+)\/resourceGroups\/[^/]+\/providers\/Microsoft\.Compute\/capacityReservationGroups\/[^/]+$/i;
const PART = /^[\w.()-]{1,90}$/;

/** `resourceGroup/group`, or the group's resource id in this subscription; null: of another cloud, or of another subscription. */
export function reservationPlace(text: string, subscription: string): ArmPlace | null {
  const [, of] = GROUP_ID.exec(text) ?? [];
  if (of !== undefined) return of.toLowerCase() === subscription.toLowerCase() ? parseArmId(text) : null;
  const [group, name, ...more] = text.split('/');
  const isPlace = group !== undefined && name !== undefined && PART.test(group) && PART.test(name) && more.length === 0;
  return isPlace ? { group, name } : null;
}

export function reservedSizes(reservations: readonly CapacityReservation[]): ReservedSize[] {
  return reservations.flatMap(({ sku, location, zones, virtualMachinesAssociated, provisioningState }) => {
    const { name: size, capacity = 0 } = sku;
    if (size === undefined || location === undefined || provisioningState === 'Failed') return [];
    const free = capacity - (virtualMachinesAssociated?.length ?? 0);
    return [{ size, region: location, zone: zones?.[0] ?? null, free }];
  });
}
