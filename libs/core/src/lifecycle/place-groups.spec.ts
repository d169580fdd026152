import { expect, it } from '@jest/globals';
import { NO_FILTERS } from '../offers/offer-filters.js';
import type { Offer } from '../offers/offer.js';
import { UNCONSTRAINED_RESOURCES } from '../fleets/fleet-parameters.js';
import type { PlacementCandidate, PlacementFleet, PlacementGroup, PlacementInstance } from './placement-input.js';
import { placeGroups } from './place-groups.js';

const resources = {
  cpus: 8,
  memory_mib: 32768,
  gpus: [],
  spot: false,
  disk: { size_mib: 102400 },
  cpu_arch: 'x86' as const,
  description: '',
};
const offer = (over: Partial<Offer> = {}): Offer => ({
  backend: 'aws', instance: { name: 'm5', resources }, region: 'eu', price: 1, availability: 'available', ...over,
}); // prettier-ignore
const candidate = (over: Partial<Extract<PlacementCandidate, { fits: true }>> = {}): PlacementCandidate => ({
  fleetId: 'f', fits: true, requirements: { resources: UNCONSTRAINED_RESOURCES, spot: null }, filters: NO_FILTERS, offers: null,
  offersNote: null, ...over,
}); // prettier-ignore
const group = (over: Partial<PlacementGroup> = {}): PlacementGroup => ({
  runId: 'r', jobIds: ['j'], priority: 0, submittedAt: 1, mayCreate: true, onlyInstanceIds: null, candidates: [candidate()], ...over,
}); // prettier-ignore
const instance = (over: Partial<PlacementInstance> = {}): PlacementInstance => ({
  id: 'i', fleetId: 'f', backend: 'aws', instanceType: { name: 'm5', resources }, region: 'eu', zone: null, priceUsdPerHour: 1, status: 'idle',
  unreachable: false, health: 'healthy', totalBlocks: 1, busyBlocks: 0, detachingVolumes: false, ...over,
}); // prettier-ignore
const fleet = (over: Partial<PlacementFleet> = {}): PlacementFleet => ({
  id: 'f',
  name: 'fleet',
  activeCount: 0,
  maxNodes: null,
  canCreate: true,
  ...over,
});

function place(groups: PlacementGroup[], instances: PlacementInstance[] = [], fleets = [fleet()]): string[] {
  return placeGroups({ groups, instances, fleets }).map((verdict) => {
    if (verdict.kind !== 'placed') return verdict.kind === 'no-capacity' ? `no: ${verdict.message}` : verdict.kind;
    return verdict.seats
      .map((seat) => `${seat.jobId} ${seat.kind === 'reuse' ? `on ${seat.instanceId}` : `new in ${verdict.fleetId}`}`)
      .join(', ');
  });
}

const offered = candidate({ offers: [offer({ price: 3 }), offer({ price: 2 })] });

it.each<[string, string[], string[]]>([
  ['an idle instance is used before anything is asked', place([group()], [instance()]), ['j on i']],
  ['without one the backends are asked', place([group()]), ['needs-offers']],
  ['what they offer is created', place([group({ candidates: [offered] })]), ['j new in f']],
  ['the cheaper instance is taken', place([group()], [instance(), instance({ id: 'cheap', priceUsdPerHour: 0.5 })]), ['j on cheap']],
  ['one instance is given away once', place([group(), group({ jobIds: ['k'] })], [instance()]), ['j on i', 'needs-offers']],
  ['higher priority goes first', place([group(), group({ jobIds: ['k'], priority: 1, submittedAt: 2 })], [instance()]), ['k on i', 'needs-offers']],
  ['older goes first', place([group({ submittedAt: 5 }), group({ jobIds: ['k'] })], [instance()]), ['k on i', 'needs-offers']],
  ['a gang is seated whole', place([group({ jobIds: ['a', 'b'] })], [instance(), instance({ id: 'i2' })]), ['a on i, b on i2']],
  ['or not at all', place([group({ jobIds: ['a', 'b'], mayCreate: false })], [instance()]), ['no: no idle instance in fleet fleet fits, and creation_policy is reuse']],
  ['the rest of a gang is created', place([group({ jobIds: ['a', 'b'], candidates: [offered] })], [instance()]), ['a on i, b new in f']],
  ['a full fleet creates nothing', place([group({ candidates: [offered] })], [], [fleet({ activeCount: 2, maxNodes: 2 })]), ['no: Fleet is at capacity: fleet has 2 of at most 2 nodes']],
  ['unreachable instances are left alone', place([group({ mayCreate: false })], [instance({ unreachable: true })]), ['no: no idle instance in fleet fleet fits, and creation_policy is reuse']],
  ['no fleet is told as such', place([group({ candidates: [] })]), ['no: No matching fleet found']],
  ['a conflict with the fleet is told', place([group({ candidates: [{ fleetId: 'f', fits: false, because: 'spot policy' }] })]), ['no: spot policy']],
  ['offers that cannot be used count as none', place([group({ candidates: [candidate({ offers: [offer({ availability: 'no_quota' })], offersNote: 'no quota' })] })]), ['no: no quota']],
  ['only named instances are used', place([group({ onlyInstanceIds: ['other'] })], [instance()]), ['no: Failed to use specified instances']],
  ['blocks fill the fuller machine first', place([group()], [instance({ id: 'empty', totalBlocks: 2 }), instance({ id: 'half', status: 'busy', totalBlocks: 2, busyBlocks: 1 })]), ['j on half']],
])('%s', (_rule, actual, expected) => expect(actual).toEqual(expected)); // prettier-ignore
