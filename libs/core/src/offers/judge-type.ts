import type * as Wire from '../wire/generated/api.js';
import type { Offer } from './offer.js';
import type { OfferFilters } from './offer-filters.js';
import { knownDiskGb, resourceRejections } from './match-resources.js';
import { formatRange, intersectRanges } from './range.js';
import { includesIgnoringCase } from './includes-ignoring-case.js';
import type { RejectionReason } from './rejection.js';

/** What an offer says of the machine, wherever it is and whatever it costs. */
export type OfferType = Pick<Offer, 'instance' | 'disk_range_gb'>;

export interface TypeVerdict {
  readonly reasons: readonly RejectionReason[];
  /** The disk it would get, where its size can be chosen. */
  readonly diskGb: number | null;
}

export function judgeType(type: OfferType, requirements: Wire.Requirements, filters: OfferFilters): TypeVerdict {
  const disk = chooseDisk(type, requirements);
  return {
    reasons: [
      ...spotRejections(type, requirements),
      ...resourceRejections(requirements.resources, type.instance.resources),
      ...disk.reasons,
      ...nameRejections(type, filters),
    ],
    diskGb: disk.sizeGb,
  };
}

function spotRejections({ instance }: OfferType, requirements: Wire.Requirements): RejectionReason[] {
  const spot = requirements.spot ?? null;
  if (spot === null || instance.resources.spot === spot) return [];
  return [{ code: 'spot', text: spot ? 'on-demand, not spot' : 'spot, not on-demand' }];
}

const DEFAULT_DISK = { min: 100, max: null };

// A backend that lets the disk be chosen gets the smallest that satisfies both sides.
function chooseDisk(
  type: OfferType,
  requirements: Wire.Requirements,
): { sizeGb: number | null; reasons: RejectionReason[] } {
  if (type.disk_range_gb === undefined || knownDiskGb(type.instance.resources) !== null)
    return { sizeGb: null, reasons: [] };
  const wanted = requirements.resources.disk?.size ?? DEFAULT_DISK;
  const range = intersectRanges(wanted, type.disk_range_gb);
  if (range !== null) return { sizeGb: range.min ?? null, reasons: [] };
  const text = `disk ${formatRange(type.disk_range_gb, 'GB')} has nothing in ${formatRange(wanted, 'GB')}`;
  return { sizeGb: null, reasons: [{ code: 'disk', text }] };
}

function nameRejections({ instance }: OfferType, { instanceTypes }: OfferFilters): RejectionReason[] {
  if (instanceTypes === null || includesIgnoringCase(instanceTypes, instance.name)) return [];
  return [{ code: 'instance-type', text: `instance type ${instance.name}, not ${instanceTypes.join(' or ')}` }];
}
