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
