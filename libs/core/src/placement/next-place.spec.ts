import type { Offer } from '../offers/offer.js';
import { type FailedPlace, nextPlace } from './next-place.js';

const offer = (name: string, over: Partial<Offer> = {}, spot = false): Offer => ({
  backend: 'aws',
  region: 'eu',
  price: 1,
  availability: 'unknown',
  availability_zones: ['a', 'b'],
  instance: { name, resources: { cpus: 1, memory_mib: 1, gpus: [], spot } },
  ...over,
});
const withGpu = (type: string, gpu: string): Offer =>
  offer(type, {
    instance: { name: type, resources: { cpus: 1, memory_mib: 1, gpus: [{ name: gpu, memory_mib: 1 }], spot: false } },
  });
const failed = (over: Partial<FailedPlace> = {}): FailedPlace => ({
  backend: 'aws',
  region: 'eu',
  zone: 'a',
  instanceType: 'm5',
  gpus: null,
  isSpot: false,
  blocks: 'offer',
  ...over,
});

it.each<[string, Offer[], FailedPlace[], [string, string | null] | null]>([
  ['the first offer, in its first zone', [offer('m5'), offer('m6')], [], ['m5', 'a']],
  ['the next zone after a dry one', [offer('m5'), offer('m6')], [failed({ blocks: 'zone' })], ['m5', 'b']],
  [
    'the next offer once all zones are dry',
    [offer('m5'), offer('m6')],
    [failed({ blocks: 'zone' }), failed({ blocks: 'zone', zone: 'b' })],
    ['m6', 'a'],
  ],
  ['another offer after one that failed', [offer('m5'), offer('m6')], [failed()], ['m6', 'a']],
  [
    'on demand after the same type as spot',
    [offer('m5', {}, true), offer('m5')],
    [failed({ isSpot: true })],
    ['m5', 'a'],
  ],
  [
    'the same type with other GPUs',
    [withGpu('n1', 'T4'), withGpu('n1', 'V100')],
    [failed({ instanceType: 'n1', gpus: 'T4:1' })],
    ['n1', 'a'],
  ],
  ['another region', [offer('m5'), offer('m5', { region: 'us' })], [failed({ blocks: 'region' })], ['m5', 'a']],
  [
    'the same type of another cloud',
    [offer('m5'), offer('m5', { backend: 'gcp' })],
    [failed({ blocks: 'account' })],
    ['m5', 'a'],
  ],
  ['no offer of a closed account', [offer('m5'), offer('m6', { region: 'us' })], [failed({ blocks: 'account' })], null],
  ['a place without zones', [offer('m5', { availability_zones: null })], [], ['m5', null]],
  ['not one that failed without zones', [offer('m5', { availability_zones: null })], [failed({ zone: null })], null],
  ['no offer that says that there are none', [offer('m5', { availability: 'not_available' })], [], null],
  ['no offer that has no zone', [offer('m5', { availability_zones: [] })], [], null],
])('%s', (_what, offers, failures, expected) => {
  const place = nextPlace(offers, failures);
  expect(place === null ? null : [place.offer.instance.name, place.zone]).toEqual(expected);
});
