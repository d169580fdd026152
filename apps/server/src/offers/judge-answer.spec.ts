import { NO_FILTERS, type Offer, tabulateOffers, type Wire } from '@dstack/core';
import { judgeAnswer } from './judge-answer.js';

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
  judgeAnswer({ backend: 'aws', table: offers && tabulateOffers(offers), inOwnOrder: null, remark }, cpus(min), NO_FILTERS);

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

it('an order that means something is kept', () => {
  const offers = [offer({ price: 3 }), offer({ price: 1 }), offer({ price: 2, availability: 'not_available' })];
  const answer = { backend: 'vastai' as const, table: tabulateOffers(offers), inOwnOrder: offers, remark: null };
  const { fitting } = judgeAnswer(answer, { ...cpus(2), max_price: 3 }, NO_FILTERS);
  expect([fitting?.order, fitting?.take(9).map(({ price }) => price)]).toEqual(['own', [3, 1, 2]]);
  const { fitting: cheap } = judgeAnswer(answer, { ...cpus(2), max_price: 2 }, NO_FILTERS);
  expect(cheap?.take(1).map(({ price }) => price)).toEqual([1]);
});
