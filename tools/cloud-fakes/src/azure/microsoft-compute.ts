import { type ArmAnswer, ArmRefusal, at, type Json } from './arm-answer.js';
import { lastOf, type MicrosoftNetwork, missing } from './microsoft-network.js';
import { type FakeSize, quotaRefusal, SIZES } from './sizes.js';

export interface FakeAzureMachine {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  readonly size: string;
  readonly isSpot: boolean;
  /** As cloud-init reads it. */
  readonly userData: string;
  readonly tags: Readonly<Record<string, string>>;
  /** As it was asked for. */
  readonly request: Json;
  readonly createdAt: Date;
  state: 'Creating' | 'Succeeded' | 'Failed' | 'Deleting';
  power: 'running' | 'stopped';
  failure: { readonly code: string; readonly message: string } | null;
}

/** Of a capacity reservation group, which is named by its resource group and its name in lower case: `group/name`. */
export interface FakeReservation {
  readonly name: string;
  readonly size: string;
  readonly location: string;
  readonly zone: string | null;
  readonly capacity: number;
}

export interface AzureMachineHooks {
  /** Gives the address of the machine that was started; rejects: it never gets ready. */
  readonly boot: (machine: FakeAzureMachine) => Promise<string>;
  readonly halt: (machine: FakeAzureMachine) => Promise<void>;
}

const MAX_CUSTOM_DATA = 65_535;

/** Virtual machines with what is made beside them: a disk, a card, an address. */
export class MicrosoftCompute {
  readonly machines = new Map<string, FakeAzureMachine>();
  readonly disks = new Set<string>();
  /** Sizes that are refused at once, and those that are accepted and then not found room for. */
  readonly drySizes = new Set<string>();
  readonly drySoon = new Set<string>();
  readonly reservations = new Map<string, readonly FakeReservation[]>();
  /** By the usage's name; absent: 350 processors. */
  readonly quotas = new Map<string, number>();

  constructor(
    private readonly network: MicrosoftNetwork,
    private readonly hooks: AzureMachineHooks,
  ) {}

  view(machine: FakeAzureMachine, withInstanceView = false): object {
    const { id, name, location, tags, request, state, createdAt } = machine;
    const properties = request['properties'] as Json;
    const { customData: _hidden, ...osProfile } = properties['osProfile'] as Json;
    const { networkInterfaceConfigurations: _gone, ...networkProfile } = properties['networkProfile'] as Json;
    return {
      id,
      name,
      location,
      tags,
      type: 'Microsoft.Compute/virtualMachines',
      ...(request['identity'] === undefined ? {} : { identity: request['identity'] }),
      properties: {
        ...properties,
        osProfile,
        networkProfile: { ...networkProfile, networkInterfaces: [{ id: cardId(id), properties: { primary: true } }] },
        provisioningState: state,
        timeCreated: createdAt.toISOString(),
        ...(withInstanceView ? { instanceView: instanceView(machine) } : {}),
      },
    };
  }

  /** @throws {ArmRefusal} */
  reservationsOf(path: string): object[] {
    const groupId = path.replace(/\/capacityReservations$/i, '');
    const [, group = '', name = ''] = /\/resourceGroups\/([^/]+)\/.+\/([^/]+)$/i.exec(groupId) ?? [];
    const found = this.reservations.get(`${group}/${name}`.toLowerCase());
    if (found === undefined) throw missing(groupId);
    const inGroup = [...this.machines.values()].filter((machine) => groupOf(machine) === groupId.toLowerCase());
    return found.map(({ name: own, size, location, zone, capacity }) => ({
      id: `${groupId}/capacityReservations/${own}`,
      name: own,
      type: 'Microsoft.Compute/capacityReservationGroups/capacityReservations',
      location,
      sku: { name: size, capacity },
      ...(zone === null ? {} : { zones: [zone] }),
      properties: {
        provisioningState: 'Succeeded',
        virtualMachinesAssociated: inGroup.filter((machine) => machine.size === size).map(({ id }) => ({ id })),
      },
    }));
  }

  /** @throws {ArmRefusal} */
  get(id: string): FakeAzureMachine {
    const machine = this.machines.get(id.toLowerCase());
    if (machine === undefined) throw missing(id);
    return machine;
  }

  /** @throws {ArmRefusal} */
  put(id: string, body: Json, isNew: boolean): ArmAnswer {
    const known = this.machines.get(id.toLowerCase());
    if (known !== undefined) return this.putAgain(known, body, isNew);
    const machine = this.machineOf(id, body);
    this.check(machine);
    const card = at(body, 'properties', 'networkProfile', 'networkInterfaceConfigurations', 0, 'properties') as Json;
    this.attach(machine, card);
    this.machines.set(id.toLowerCase(), machine);
    void this.start(machine);
    return { status: 201, body: this.view(machine) };
  }

  /** @throws {ArmRefusal} */
  remove(id: string): ArmAnswer {
    const machine = this.machines.get(id.toLowerCase());
    if (machine === undefined) return { status: 204 };
    if (machine.state !== 'Deleting') this.end(machine);
    return { status: 202 };
  }

  /** The cloud takes it back. */
  end(machine: FakeAzureMachine): void {
    machine.state = 'Deleting';
    void this.hooks.halt(machine).finally(() => this.forget(machine));
  }

  skus(location: string, restrictions: ReadonlyMap<string, string>): object[] {
    return SIZES.map(({ name, family, cpus }) => ({
      resourceType: 'virtualMachines',
      name,
      family,
      locations: [location],
      locationInfo: [{ location, zones: ['1', '2', '3'] }],
      capabilities: [{ name: 'vCPUs', value: String(cpus) }],
      restrictions: restrictions.has(name)
        ? [{ type: restrictions.get(name), values: [location], reasonCode: 'NotAvailableForSubscription' }]
        : [],
    }));
  }

  usages(): object[] {
    const names = ['cores', 'lowPriorityCores', ...new Set(SIZES.map(({ family }) => family))];
    return names.map((value) => ({
      name: { value, localizedValue: value },
      unit: 'Count',
      currentValue: 0,
      limit: this.limitOf(value),
    }));
  }

  private limitOf(name: string): number {
    return this.quotas.get(name) ?? 350;
  }

  private putAgain(known: FakeAzureMachine, body: Json, isNew: boolean): ArmAnswer {
    if (isNew)
      throw new ArmRefusal(412, 'PreconditionFailed', `The condition '*' is not met: ${known.name} exists already.`);
    if (known.state === 'Deleting')
      throw new ArmRefusal(409, 'OperationNotAllowed', `VM '${known.name}' is marked for deletion.`);
    if (JSON.stringify(body) !== JSON.stringify(known.request))
      throw new ArmRefusal(409, 'PropertyChangeNotAllowed', `Changing properties of '${known.name}' is not allowed.`);
    return { status: 200, body: this.view(known) };
  }

  private machineOf(id: string, body: Json): FakeAzureMachine {
    return {
      id,
      name: lastOf(id),
      location: String(body['location']),
      size: String(at(body, 'properties', 'hardwareProfile', 'vmSize')),
      isSpot: at(body, 'properties', 'priority') === 'Spot',
      userData: Buffer.from(String(at(body, 'properties', 'osProfile', 'customData')), 'base64').toString(),
      tags: (body['tags'] ?? {}) as Readonly<Record<string, string>>,
      request: body,
      createdAt: new Date(),
      state: 'Creating',
      power: 'running',
      failure: null,
    };
  }

  private check({ name, size, request, isSpot, userData, location }: FakeAzureMachine): void {
    if (!/^[a-z0-9][\w.-]{0,63}$/i.test(name))
      throw new ArmRefusal(400, 'InvalidParameter', `The name ${name} is not that of a machine.`);
    const known: FakeSize | undefined = SIZES.find((each) => each.name === size);
    if (known === undefined) throw new ArmRefusal(400, 'InvalidParameter', `The value ${size} of vmSize is invalid.`);
    if (userData.length > MAX_CUSTOM_DATA) throw new ArmRefusal(400, 'InvalidParameter', 'Custom data is too long.');
    const keys = at(request, 'properties', 'osProfile', 'linuxConfiguration', 'ssh', 'publicKeys') as
      Json[] | undefined;
    if (!keys?.every(({ keyData }) => /^ssh-(rsa|ed25519) /.test(String(keyData))) || keys.length === 0)
      throw new ArmRefusal(400, 'InvalidParameter', 'Authentication needs SSH keys, RSA or ED25519.');
    const card = at(request, 'properties', 'networkProfile', 'networkInterfaceConfigurations', 0, 'properties');
    this.network.requireSubnet(String(at(card, 'ipConfigurations', 0, 'properties', 'subnet', 'id')), location);
    this.network.requireSecurityGroup(String(at(card, 'networkSecurityGroup', 'id')), location);
    if (this.drySizes.has(size))
      throw new ArmRefusal(
        409,
        'SkuNotAvailable',
        `The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: ${size}' is currently not available in location '${location}'.`,
      );
    const limit = this.limitOf(isSpot ? 'lowPriorityCores' : known.family);
    if (known.cpus > limit) throw quotaRefusal(known, isSpot, limit, location);
  }

  private attach({ id, location }: FakeAzureMachine, card: Json): void {
    const address = at(card, 'ipConfigurations', 0, 'properties', 'publicIPAddressConfiguration');
    const subnetId = String(at(card, 'ipConfigurations', 0, 'properties', 'subnet', 'id'));
    this.disks.add(`${id}_OsDisk`);
    const publicId = address === undefined ? null : addressId(id);
    if (publicId !== null)
      this.network.addresses.set(publicId.toLowerCase(), { id: publicId, name: lastOf(publicId), location, ip: null });
    const own = cardId(id);
    this.network.cards.set(own.toLowerCase(), { id: own, name: lastOf(own), location, subnetId, publicId, ip: null });
  }

  private async start(machine: FakeAzureMachine): Promise<void> {
    try {
      if (this.drySoon.has(machine.size))
        throw new ArmRefusal(
          200,
          'AllocationFailed',
          'Allocation failed. We do not have sufficient capacity for the requested VM size in this region.',
        );
      const ip = await this.hooks.boot(machine);
      const card = this.network.cards.get(cardId(machine.id).toLowerCase());
      const address = this.network.addresses.get(addressId(machine.id).toLowerCase());
      if (card !== undefined) card.ip = ip;
      if (address !== undefined) address.ip = ip;
      if (machine.state === 'Creating') machine.state = 'Succeeded';
    } catch (error) {
      if (machine.state !== 'Creating') return;
      machine.state = 'Failed';
      machine.failure =
        error instanceof ArmRefusal
          ? { code: error.code, message: error.message }
          : { code: 'OSProvisioningTimedOut', message: 'OS Provisioning did not finish in the allotted time.' };
    }
  }

  /** What was asked to go with the machine goes; the rest stays, and costs. */
  private forget({ id, request }: FakeAzureMachine): void {
    this.machines.delete(id.toLowerCase());
    const card = at(request, 'properties', 'networkProfile', 'networkInterfaceConfigurations', 0, 'properties');
    const address = at(card, 'ipConfigurations', 0, 'properties', 'publicIPAddressConfiguration', 'properties');
    if (at(request, 'properties', 'storageProfile', 'osDisk', 'deleteOption') === 'Delete')
      this.disks.delete(`${id}_OsDisk`);
    if (at(card, 'deleteOption') === 'Delete') this.network.cards.delete(cardId(id).toLowerCase());
    if (at(address, 'deleteOption') === 'Delete') this.network.addresses.delete(addressId(id).toLowerCase());
  }
}

function instanceView({ state, power, failure }: FakeAzureMachine): object {
  const provisioning =
    failure === null
      ? { code: `ProvisioningState/${state.toLowerCase()}`, level: 'Info', displayStatus: state }
      : {
          code: `ProvisioningState/failed/${failure.code}`,
          level: 'Error',
          displayStatus: 'Provisioning failed',
          message: failure.message,
        };
  const powerState = { code: `PowerState/${power}`, level: 'Info', displayStatus: `VM ${power}` };
  return { statuses: state === 'Succeeded' ? [provisioning, powerState] : [provisioning] };
}

const beside = (id: string, type: string): string =>
  `${id.replace('Microsoft.Compute/virtualMachines', `Microsoft.Network/${type}`)}-${type === 'networkInterfaces' ? 'nic' : 'ip'}`;
const cardId = (id: string): string => beside(id, 'networkInterfaces');
const addressId = (id: string): string => beside(id, 'publicIPAddresses');

/** The capacity reservation group that a machine counts against. */
function groupOf({ request }: FakeAzureMachine): string | undefined {
  const properties = request['properties'] as { capacityReservation?: { capacityReservationGroup?: { id?: string } } };
  return properties.capacityReservation?.capacityReservationGroup?.id?.toLowerCase();
}
