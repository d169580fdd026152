import { usableSubnets } from '../src/network.js';
import { missingRules, projectGroup } from '../src/security-group.js';

const subnets = [
  { SubnetId: 's-own', AvailabilityZone: 'a' },
  { SubnetId: 's-main', AvailabilityZone: 'b' },
];
const table = (association: object, route: object) => ({ Associations: [association], Routes: [route] });
const everywhere = '0.0.0.0/0';

describe('the subnets that machines can be in', () => {
  it.each<[string, object, boolean, string[]]>([
    ['an internet gateway', { DestinationCidrBlock: everywhere, GatewayId: 'igw-1' }, true, ['s-own']],
    ['an internet gateway, for private machines', { DestinationCidrBlock: everywhere, GatewayId: 'igw-1' }, false, []],
    ['a NAT gateway', { DestinationCidrBlock: everywhere, NatGatewayId: 'nat-1' }, false, ['s-own']],
    ['a transit gateway', { DestinationCidrBlock: everywhere, TransitGatewayId: 'tgw-1' }, false, ['s-own']],
    ['a peering', { DestinationCidrBlock: everywhere, VpcPeeringConnectionId: 'pcx-1' }, false, ['s-own']],
    ['an appliance', { DestinationCidrBlock: everywhere, NetworkInterfaceId: 'eni-1' }, false, ['s-own']],
    ['an endpoint of one', { DestinationCidrBlock: everywhere, GatewayId: 'vpce-1' }, false, ['s-own']],
    ['a NAT gateway for a part', { DestinationCidrBlock: '10.0.0.0/8', NatGatewayId: 'nat-1' }, false, []],
  ])('with %s', (_what, route, isPublic, expected) => {
    const tables = [table({ Main: true }, { GatewayId: 'local' }), table({ SubnetId: 's-own' }, route)];
    expect(usableSubnets(subnets, tables, isPublic).map(({ id }) => id)).toEqual(expected);
  });

  it('take the main table where they have none of their own', () => {
    const tables = [
      table({ Main: true }, { GatewayId: 'igw-1' }),
      table({ SubnetId: 's-own' }, { GatewayId: 'local' }),
    ];
    expect(usableSubnets(subnets, tables, true)).toEqual([{ id: 's-main', zone: 'b', cidr: null }]);
  });
});

describe('the rules that a security group lacks', () => {
  const ssh = { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: everywhere }] };
  const itself = { IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: 'sg-1' }] };
  const wanted = projectGroup('main', 'jobs').rules('sg-1');
  const [wantsSsh, wantsItself] = wanted;
  it.each<[string, object[], unknown[]]>([
    ['none', [ssh, itself], []],
    ['SSH', [itself], [wantsSsh]],
    ['SSH from everywhere', [{ ...ssh, IpRanges: [{ CidrIp: '10.0.0.0/8' }] }, itself], [wantsSsh]],
    ['none with a wider range', [{ ...ssh, FromPort: 1, ToPort: 1024 }, itself], []],
    [
      'its own, when another group is let in',
      [ssh, { ...itself, UserIdGroupPairs: [{ GroupId: 'sg-2' }] }],
      [wantsItself],
    ],
    ['both', [], [wantsSsh, wantsItself]],
  ])('%s', (_what, IpPermissions, expected) => {
    expect(missingRules({ IpPermissions }, wanted)).toEqual(expected);
  });

  it('a port from another group, unless that may everything', () => {
    const rule = { port: 80, from: { group: 'sg-2' } };
    const from = (GroupId: string, more: object) => ({ IpPermissions: [{ ...more, UserIdGroupPairs: [{ GroupId }] }] });
    expect(missingRules({ IpPermissions: [ssh] }, [rule])).toEqual([rule]);
    expect(missingRules(from('sg-1', { IpProtocol: '-1' }), [rule])).toEqual([rule]);
    expect(missingRules(from('sg-2', { IpProtocol: 'tcp', FromPort: 22, ToPort: 22 }), [rule])).toEqual([rule]);
    expect(missingRules(from('sg-2', { IpProtocol: 'tcp', FromPort: 80, ToPort: 80 }), [rule])).toEqual([]);
    expect(missingRules(from('sg-2', { IpProtocol: '-1' }), [rule])).toEqual([]);
  });
});
