import { decideRetry } from '../src/decide-retry.js';
import { chooseSubnet, whyUnusable } from '../src/network.js';

const subnet = (name: string, more: object = {}) => ({ name, addressPrefix: '10.0.0.0/24', ...more });
const PUBLIC = { egress: false, isPeered: false };
const PRIVATE = { egress: true, isPeered: false };

describe('a subnet', () => {
  it.each<[string, object, object, RegExp | null]>([
    ['is usable', subnet('a'), PUBLIC, null],
    ['is of a service', subnet('GatewaySubnet'), PUBLIC, /services of Azure/],
    ['is delegated', subnet('a', { delegations: [{}] }), PUBLIC, /delegated/],
    ['is linked to a service', subnet('a', { serviceAssociationLinks: [{}] }), PUBLIC, /delegated/],
    ['is full', subnet('a', { addressPrefix: '10.0.0.0/29', ipConfigurations: [{}, {}, {}] }), PUBLIC, /no free/],
    ['has room', subnet('a', { addressPrefix: '10.0.0.0/29', ipConfigurations: [{}, {}] }), PUBLIC, null],
    ['has two ranges', subnet('a', { addressPrefix: undefined, addressPrefixes: ['10.0.0.0/29', 'fd00::/64'] }), PUBLIC, null], // prettier-ignore
    ['has no way out', subnet('a'), PRIVATE, /public_ips is off/],
    ['has a gateway', subnet('a', { natGateway: { id: 'x' } }), PRIVATE, null],
    ['is peered', subnet('a'), { egress: true, isPeered: true }, null],
  ])('%s', (_what, given, needs, expected) => {
    const why = whyUnusable(given, needs as typeof PUBLIC);
    if (expected === null) expect(why).toBeNull();
    else expect(why).toMatch(expected);
  });

  it('with private endpoints is taken when there is no other', () => {
    const busy = subnet('busy', { privateEndpoints: [{}] });
    expect(chooseSubnet([busy, subnet('free')], PUBLIC)?.name).toBe('free');
    expect(chooseSubnet([busy], PUBLIC)?.name).toBe('busy');
    expect(chooseSubnet([subnet('GatewaySubnet')], PUBLIC)).toBeNull();
  });
});

describe('a request that came to nothing', () => {
  const failed = { status: 429, isOver: false, retryAfter: null, tries: 1, now: 0 };
  it.each<[string, object, number | null]>([
    ['is sent again after a while', {}, 500],
    ['is sent again after a longer while', { tries: 2 }, 1_000],
    ['is sent three times', { tries: 3 }, null],
    ['waits as long as Azure says', { retryAfter: '2' }, 2_000],
    ['waits until Azure says', { retryAfter: new Date(3_000).toUTCString() }, 3_000],
    ['does not wait long', { retryAfter: '60' }, null],
    ['without an answer is sent again', { status: null }, 500],
    ['of a failing cloud is sent again', { status: 503 }, 500],
    ['that is wrong is not', { status: 409 }, null],
    ['that nobody waits for is not', { isOver: true }, null],
  ])('%s', (_what, over, expected) => {
    expect(decideRetry({ ...failed, ...over })).toBe(expected);
  });
});
