import type { Subnet } from '@azure/arm-network';

/** Azure keeps so many addresses of every subnet. */
const KEPT_ADDRESSES = 5;

/** Only their own services may be in these. */
const RESERVED: ReadonlySet<string> = new Set([
  'GatewaySubnet',
  'AzureBastionSubnet',
  'AzureFirewallSubnet',
  'AzureFirewallManagementSubnet',
  'RouteServerSubnet',
]);

/** Why machines cannot be in the subnet; null: they can. */
export function whyUnusable(
  subnet: Subnet,
  needs: { readonly egress: boolean; readonly isPeered: boolean },
): string | null {
  const name = subnet.name ?? '';
  if (RESERVED.has(name)) return `subnet ${name} is for services of Azure`;
  if ((subnet.delegations ?? []).length > 0 || (subnet.serviceAssociationLinks ?? []).length > 0)
    return `subnet ${name} is delegated to a service`;
  if (freeAddresses(subnet) <= 0) return `subnet ${name} has no free address`;
  // A peer may be the hub through which machines without public addresses reach the internet.
  if (needs.egress && subnet.natGateway === undefined && !needs.isPeered)
    return `subnet ${name} has neither a NAT gateway nor a peered network, and public_ips is off`;
  return null;
}

/** The first that machines can be in; one with private endpoints only when there is no other. */
export function chooseSubnet(
  subnets: readonly Subnet[],
  needs: { readonly egress: boolean; readonly isPeered: boolean },
): Subnet | null {
  const usable = subnets.filter((subnet) => whyUnusable(subnet, needs) === null);
  return usable.find(({ privateEndpoints }) => (privateEndpoints ?? []).length === 0) ?? usable[0] ?? null;
}

function freeAddresses({ addressPrefix, addressPrefixes, ipConfigurations }: Subnet): number {
  const prefixes = addressPrefix === undefined ? (addressPrefixes ?? []) : [addressPrefix];
  const sizes = prefixes
    .filter((prefix) => prefix.includes('.'))
    .map((prefix) => 2 ** (32 - Number(prefix.split('/')[1])));
  if (sizes.length === 0) return Infinity;
  return sizes.reduce((sum, size) => sum + size - KEPT_ADDRESSES, 0) - (ipConfigurations ?? []).length;
}
