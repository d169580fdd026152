import { judge, type RegionFacts } from '../src/region-facts.js';

const domain = (name: string, more: object = {}) => ({
  name,
  shapes: new Map([
    ['VM.GPU.A10.1', ['gpu-a10-count']],
    ['VM.Standard.E4.Flex', ['standard-e4-core-count']],
    ['BM.GPU.H100.8', []],
  ]),
  free: new Set(['VM.GPU.A10.1']),
  ...more,
});
const limit = (name: string, value: number, availabilityDomain: string | null = null) => ({
  name,
  value,
  availabilityDomain,
});
const A10 = { shape: 'VM.GPU.A10.1', cpus: 30, gpus: 1 };
const FLEX = { shape: 'VM.Standard.E4.Flex', cpus: 8, gpus: 0 };

describe('a shape in a region', () => {
  it.each<[string, { shape: string; cpus: number; gpus: number }, RegionFacts, object]>([
    ['nothing is known of', A10, { domains: null, limits: null }, { availability: 'unknown', zones: null }],
    ['that nobody sells', { ...A10, shape: 'VM.GPU9.1' }, { domains: [domain('a')], limits: null }, { availability: 'no_quota', zones: [] }],
    ['with a free host', A10, { domains: [domain('a'), domain('b', { free: new Set() })], limits: null }, { availability: 'available', zones: ['a'] }],
    ['without a free host', A10, { domains: [domain('a', { free: new Set() })], limits: null }, { availability: 'not_available', zones: ['a'] }],
    ['with unknown hosts', A10, { domains: [domain('a', { free: null })], limits: null }, { availability: 'unknown', zones: ['a'] }],
    ['of bare metal without a free host', { shape: 'BM.GPU.H100.8', cpus: 224, gpus: 8 }, { domains: [domain('a')], limits: null }, { availability: 'unknown', zones: ['a'] }],
    ['without GPUs', FLEX, { domains: [domain('a')], limits: [] }, { availability: 'unknown', zones: ['a'] }],
    ['with as many cores as the limit', FLEX, { domains: [domain('a')], limits: [limit('standard-e4-core-count', 4)] }, { availability: 'unknown' }],
    ['with more cores than the limit', FLEX, { domains: [domain('a')], limits: [limit('standard-e4-core-count', 3)] }, { availability: 'no_quota', reason: 'the limit standard-e4-core-count is 3, VM.Standard.E4.Flex needs 4' }],
    ['limited in one domain', A10, { domains: [domain('a'), domain('b')], limits: [limit('gpu-a10-count', 0, 'a'), limit('gpu-a10-count', 1, 'b')] }, { availability: 'available', zones: ['b'] }],
    ['in a domain that tells nothing', A10, { domains: [domain('a', { shapes: null, free: null })], limits: null }, { availability: 'unknown', zones: ['a'] }],
  ])('%s', (_what, wanted, facts, expected) => {
    expect(judge(wanted, facts)).toMatchObject(expected);
  }); // prettier-ignore
});
