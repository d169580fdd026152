import type * as Wire from '../wire/generated/api.js';
import { judgeAnswer } from './judge-answer.js';
import { NO_FILTERS } from './offer-filters.js';
import { tabulateOffers } from './offer-table.js';
import type { Offer } from './offer.js';

const offer = (rest: Partial<Offer> = {}): Offer => ({
  backend: 'aws',
  instance: {
    name: 'm',
    resources: { cpus: 4, memory_mib: 8_192, gpus: [], spot: false, disk: { size_mib: 204_800 } },
  },
  region: 'us-east-1',
  price: 1,
  availability: 'unknown',
  ...rest,
});
const cpus = (min: number): Wire.Requirements => ({
  resources: { cpu: { count: { min, max: null } }, memory: { min: 1, max: null } },
});
const judge = (offers: Offer[] | null, remark: string | null = null, min = 2) =>
  judgeAnswer({ backend: 'aws', table: offers && tabulateOffers(offers), remark }, cpus(min), NO_FILTERS);

it.each([
  ['has what is wanted', judge([offer()]), null, null],
  [
    'does not answer',
    judge(null, 'no offers within 10 seconds'),
    'aws: no offers within 10 seconds',
    'aws: no offers within 10 seconds',
  ],
  [
    'could not be checked, and has it',
    judge([offer()], 'unverified: AWS did not answer'),
    null,
    'aws: unverified: AWS did not answer',
  ],
  ['has nothing that fits', judge([offer()], null, 8), 'aws: no offers: cpus 4 < 8..', null],
  [
    'has no quota for it',
    judge([offer({ availability: 'no_quota', availability_reason: 'quota of 0 vCPUs' })]),
    'aws: no offers: quota of 0 vCPUs',
    null,
  ],
  ['sells nothing', judge([]), 'aws: no offers', null],
])('a backend that %s', (_what, judged, note, warning) => {
  expect(judged.note).toBe(note);
  expect(judged.warning).toBe(warning);
});
