import type { RouteTable, Subnet } from '@aws-sdk/client-ec2';

export interface UsableSubnet {
  readonly id: string;
  readonly zone: string;
  /** Of its addresses. */
  readonly cidr: string | null;
}

/**
 * The subnets of a network in which machines can reach the internet: through an internet gateway when they get public addresses, else
 * through something that translates theirs.
 */
export function usableSubnets(
  subnets: readonly Subnet[],
  tables: readonly RouteTable[],
  publicIps: boolean,
): UsableSubnet[] {
  return subnets.flatMap(({ SubnetId: id, AvailabilityZone: zone, CidrBlock: cidr = null }) => {
    if (id === undefined || zone === undefined) return [];
    const table = tableOf(id, tables);
    const isUsable = publicIps ? hasInternetGateway(table) : hasEgress(table);
    return isUsable ? [{ id, zone, cidr }] : [];
  });
}

/** Of a subnet without a table of its own, the network's main one. */
function tableOf(subnetId: string, tables: readonly RouteTable[]): RouteTable | undefined {
  const own = tables.find((table) => table.Associations?.some((each) => each.SubnetId === subnetId));
  return own ?? tables.find((table) => table.Associations?.some((each) => each.Main === true));
}

function hasInternetGateway(table: RouteTable | undefined): boolean {
  return table?.Routes?.some(({ GatewayId }) => GatewayId?.startsWith('igw-')) ?? false;
}

/** Also appliances: an interface, or an endpoint of a load balancer of theirs. */
function hasEgress(table: RouteTable | undefined): boolean {
  return (
    table?.Routes?.some(
      (route) =>
        route.DestinationCidrBlock === '0.0.0.0/0' &&
        (route.NatGatewayId !== undefined ||
          route.TransitGatewayId !== undefined ||
          route.VpcPeeringConnectionId !== undefined ||
          route.NetworkInterfaceId !== undefined ||
          route.GatewayId?.startsWith('vpce-') === true),
    ) ?? false
  );
}
