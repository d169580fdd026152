import { type ArmAnswer, ArmRefusal, at, type Json } from './arm-answer.js';

export interface FakeSubnet {
  readonly name: string;
  readonly addressPrefix: string;
  readonly delegations?: readonly string[];
  readonly hasNat?: boolean;
}

interface FakeNetwork {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  readonly subnets: readonly FakeSubnet[];
  readonly isPeered: boolean;
}

export interface FakeAddress {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  ip: string | null;
}

export interface FakeCard extends FakeAddress {
  readonly subnetId: string;
  readonly publicId: string | null;
}

interface FakeGroup {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  readonly properties: unknown;
}

/** Networks, security groups, cards and addresses; keys are resource ids in lower case, which is how ARM compares them. */
export class MicrosoftNetwork {
  readonly networks = new Map<string, FakeNetwork>();
  readonly securityGroups = new Map<string, FakeGroup>();
  readonly cards = new Map<string, FakeCard>();
  readonly addresses = new Map<string, FakeAddress>();

  addNetwork(id: string, location: string, subnets: readonly FakeSubnet[], isPeered = false): void {
    this.networks.set(id.toLowerCase(), { id, name: lastOf(id), location, subnets, isPeered });
  }

  /** @throws {ArmRefusal} */
  answer(method: string, id: string, body: Json): ArmAnswer {
    const key = id.toLowerCase();
    const [, type = '', rest = ''] = /\/microsoft\.network\/([^/]+)\/[^/]+(\/.*)?$/.exec(key) ?? [];
    if (method === 'PUT' && rest === '') return this.put(type, id, body);
    const network = type === 'virtualnetworks' ? this.networks.get(key.replace(rest, '')) : undefined;
    if (network !== undefined && rest !== '') return { status: 200, body: subnetsOf(network, rest) };
    if (network !== undefined) return { status: 200, body: networkView(network) };
    const group = this.securityGroups.get(key);
    if (group !== undefined)
      return { status: 200, body: { ...group, type: 'Microsoft.Network/networkSecurityGroups' } };
    const card = this.cards.get(key);
    if (card !== undefined) return { status: 200, body: cardView(card) };
    const address = this.addresses.get(key);
    if (address !== undefined) return { status: 200, body: addressView(address) };
    throw missing(id);
  }

  /** @throws {ArmRefusal} for a subnet that is not there, is somebody's else or in another region */
  requireSubnet(id: string, location: string): void {
    const [, networkId = '', name = ''] = /^(.*)\/subnets\/([^/]+)$/i.exec(id) ?? [];
    const network = this.networks.get(networkId.toLowerCase());
    const subnet = network?.subnets.find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (network === undefined || subnet === undefined || network.location !== location)
      throw new ArmRefusal(400, 'InvalidResourceReference', `Resource ${id} referenced by the card was not found.`);
    if ((subnet.delegations ?? []).length > 0)
      throw new ArmRefusal(
        400,
        'SubnetWithExternalResourcesCannotBeUsedByOtherResources',
        `Subnet ${id} cannot be used: it has external resources.`,
      );
  }

  /** @throws {ArmRefusal} */
  requireSecurityGroup(id: string, location: string): void {
    if (this.securityGroups.get(id.toLowerCase())?.location !== location)
      throw new ArmRefusal(400, 'InvalidResourceReference', `Resource ${id} referenced by the card was not found.`);
  }

  private put(type: string, id: string, body: Json): ArmAnswer {
    const location = String(body['location']);
    if (type === 'virtualnetworks') {
      const subnets = (at(body, 'properties', 'subnets') ?? []) as Json[];
      this.addNetwork(
        id,
        location,
        subnets.map((subnet) => ({
          name: String(subnet['name']),
          addressPrefix: String(at(subnet, 'properties', 'addressPrefix')),
        })),
      );
      return this.answer('GET', id, {});
    }
    if (type === 'networksecuritygroups') {
      const properties = { ...(body['properties'] as Json), provisioningState: 'Succeeded' };
      this.securityGroups.set(id.toLowerCase(), { id, name: lastOf(id), location, properties });
      return this.answer('GET', id, {});
    }
    throw new ArmRefusal(400, 'InvalidResourceType', `The fake makes no ${type}`);
  }
}

function subnetsOf(network: FakeNetwork, rest: string): object {
  if (rest === '/subnets') return { value: network.subnets.map((subnet) => subnetView(network, subnet)) };
  const subnet = network.subnets.find(({ name }) => rest === `/subnets/${name.toLowerCase()}`);
  if (subnet === undefined) throw missing(`${network.id}${rest}`);
  return subnetView(network, subnet);
}

function subnetView(
  { id, name: network }: FakeNetwork,
  { name, addressPrefix, delegations, hasNat }: FakeSubnet,
): object {
  return {
    id: `${id}/subnets/${name}`,
    name,
    properties: {
      provisioningState: 'Succeeded',
      addressPrefix,
      delegations: (delegations ?? []).map((service) => ({ name: 'delegation', properties: { serviceName: service } })),
      ...(hasNat === true ? { natGateway: { id: `${id}/../natGateways/${network}` } } : {}),
    },
  };
}

function networkView(network: FakeNetwork): object {
  const { id, name, location, subnets, isPeered } = network;
  return {
    id,
    name,
    location,
    type: 'Microsoft.Network/virtualNetworks',
    properties: {
      provisioningState: 'Succeeded',
      addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
      subnets: subnets.map((subnet) => subnetView(network, subnet)),
      virtualNetworkPeerings: isPeered
        ? [{ id: `${id}/virtualNetworkPeerings/hub`, name: 'hub', properties: { peeringState: 'Connected' } }]
        : [],
    },
  };
}

function cardView({ id, name, location, subnetId, publicId, ip }: FakeCard): object {
  return {
    id,
    name,
    location,
    type: 'Microsoft.Network/networkInterfaces',
    properties: {
      provisioningState: 'Succeeded',
      ipConfigurations: [
        {
          id: `${id}/ipConfigurations/main`,
          name: 'main',
          properties: {
            primary: true,
            subnet: { id: subnetId },
            ...(ip === null ? {} : { privateIPAddress: ip }),
            ...(publicId === null ? {} : { publicIPAddress: { id: publicId } }),
          },
        },
      ],
    },
  };
}

function addressView({ id, name, location, ip }: FakeAddress): object {
  return {
    id,
    name,
    location,
    sku: { name: 'Standard', tier: 'Regional' },
    type: 'Microsoft.Network/publicIPAddresses',
    properties: {
      provisioningState: 'Succeeded',
      publicIPAllocationMethod: 'Static',
      ...(ip === null ? {} : { ipAddress: ip }),
    },
  };
}

export function lastOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

export function missing(id: string): ArmRefusal {
  return new ArmRefusal(404, 'ResourceNotFound', `The Resource '${id}' was not found.`);
}
