import type * as Wire from '../wire/generated/api.js';
import { includesIgnoringCase } from './includes-ignoring-case.js';
import { knownDiskGb, rejectResources } from './match-resources.js';
import type { Offer } from './offer.js';
import type { OfferFilters } from './offer-filters.js';
import { contains, formatRange, intersectRanges } from './range.js';
import type { Reject } from './rejection.js';

/** What an offer says of the machine, wherever it is and whatever it costs. */
export type OfferType = Pick<Offer, 'instance' | 'disk_range_gb' | 'group_nodes'> &
  Partial<Pick<Offer, 'instance_runtime'>>;

/** Gives the size in GB of the disk it would get, where that can be chosen, else null. */
export function judgeType(
  type: OfferType,
  requirements: Wire.Requirements,
  { instanceTypes, agentArchs = null, nodes = null, unlikeNodes = null }: OfferFilters,
  reject: Reject,
): number | null {
  const { name, resources } = type.instance;
  const spot = requirements.spot ?? null;
  if (spot !== null && resources.spot !== spot)
    reject('spot', () => (spot ? 'on-demand, not spot' : 'spot, not on-demand'));
  const group = type.group_nodes;
  rejectResources(requirements.resources, resources, reject, { isOneOfGroup: group !== undefined });
  if (group !== undefined && !contains(group, nodes ?? 1))
    reject(
      'nodes',
      () => `${name} is made of several machines at once: a task has them with nodes: ${formatRange(group)}`,
    );
  // Hosts run what they are given; containers that are made by one call start alike.
  if (group !== undefined && type.instance_runtime === 'runner' && unlikeNodes !== null)
    reject('nodes', () => `the containers of a cluster start alike: ${unlikeNodes}`);
  const arch = resources.cpu_arch ?? 'x86';
  if (agentArchs !== null && !agentArchs.includes(arch))
    reject('agent', () => `this server has no agent for ${arch}, only for ${agentArchs.join(' and ')}`);
  const diskGb = chooseDisk(type, requirements, reject);
  if (instanceTypes !== null && !includesIgnoringCase(instanceTypes, name))
    reject('instance-type', () => `instance type ${name}, not ${instanceTypes.join(' or ')}`);
  return diskGb;
}

const DEFAULT_DISK = { min: 100, max: null };

// A backend that lets the disk be chosen gets the smallest that satisfies both sides.
function chooseDisk(
  { disk_range_gb: offered, instance }: OfferType,
  requirements: Wire.Requirements,
  reject: Reject,
): number | null {
  if (offered === undefined || knownDiskGb(instance.resources) !== null) return null;
  const wanted = requirements.resources.disk?.size ?? DEFAULT_DISK;
  const range = intersectRanges(wanted, offered);
  if (range !== null) return range.min ?? null;
  reject('disk', () => `disk ${formatRange(offered, 'GB')} has nothing in ${formatRange(wanted, 'GB')}`);
  return null;
}
