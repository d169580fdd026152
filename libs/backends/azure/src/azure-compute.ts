import type { VirtualMachine } from '@azure/arm-compute';
import {
  type Attempt,
  BackendError,
  type BackendEnvironment,
  type Call,
  type Compute,
  type GatewaySupport,
  isBackendError,
  KeptTable,
  Kept,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type OfferQuery,
  Survey,
  type Termination,
} from '@dstack/backend-base';
import type { Offer, OfferTable } from '@dstack/core';
import { armId, type ArmPlace, parseArmId } from './arm-id.js';
import type { Arm } from './client.js';
import { createRequest, gatewayKind, hostKind, type MachineKind, machineTags } from './create-request.js';
import { type AzureConfig, regionsOf } from './definition.js';
import { armCode } from './errors.js';
import { type Addresses, earlyStateOf, OWNER_TAG, refOf, stateWith, TOKEN_TAG } from './machine-state.js';
import { isMissing, Networks, type SecurityGroupUse } from './networks.js';
import { type Reserved, reservationPlace, reservedSizes } from './reservation.js';
import { azureOffers } from './offers.js';
import { type RegionFacts, UNTOLD, usableFamilies } from './quotas.js';

const FACTS_KEPT_MS = 600_000;

/** Of the resource group that is made when none is configured; what is in it may be anywhere. */
const GROUP_REGION = 'eastus';

/** How Azure says that a machine of the name is there. */
const IS_THERE = /^(PreconditionFailed|PropertyChangeNotAllowed|Conflict|AnotherOperationInProgress)$/;

interface Make {
  readonly kind: MachineKind;
  readonly use: SecurityGroupUse;
  readonly publicIps: boolean;
}

export interface AzureOptions {
  readonly config: AzureConfig;
  readonly arm: Arm;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log' | 'sleep' | 'catalog' | 'machineImages'>;
}

export class AzureCompute implements Compute {
  readonly gateways: GatewaySupport = {
    createReplica: async (attempt, call) => {
      if (!attempt.publicIp)
        throw new BackendError({ kind: 'rejected', blocks: 'account' }, 'gateways on Azure have public addresses only');
      const kind = gatewayKind(attempt, attempt.instanceType);
      return this.make(attempt, { kind, use: 'gateway', publicIps: true }, call);
    },
    terminateReplica: (ref, call) => this.terminate(ref, call),
  };
  private readonly networks: Networks;
  private readonly survey: Survey<RegionFacts>;
  private readonly resourceGroups: Kept<string>;

  private readonly table: KeptTable;

  constructor(private readonly options: AzureOptions) {
    this.table = new KeptTable((query, call) => this.offers(query, call), options.environment.now);
    const { config, arm, environment } = options;
    this.networks = new Networks(config, arm, environment, FACTS_KEPT_MS);
    this.survey = new Survey({
      ask: (region, call) => this.ask(region, call),
      isWhole: ({ families, limits }) => families !== null && limits !== null,
      keptMs: FACTS_KEPT_MS,
      now: environment.now,
    });
    this.resourceGroups = new Kept(FACTS_KEPT_MS, environment.now);
  }

  async offers({ requirements }: OfferQuery, call: Call): Promise<Offer[]> {
    const regions = regionsOf(this.options.config);
    const known = await this.survey.of(regions, call);
    const facts = new Map(regions.map((region) => [region, known.get(region) ?? UNTOLD]));
    const reserved = await this.reserved(requirements.reservation ?? null, call);
    return azureOffers({ catalog: this.options.environment.catalog('azure'), requirements, regions: facts, reserved });
  }

  offerTable(query: OfferQuery, call: Call): Promise<OfferTable | null> {
    return this.table.of(query, call);
  }

  create(attempt: Attempt, call: Call): Promise<MachineState> {
    const { config, environment } = this.options;
    const { public_ips: publicIps } = config;
    return this.make(
      attempt,
      { kind: hostKind(attempt, environment.machineImages), use: 'default', publicIps: publicIps ?? true },
      call,
    );
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const found = await this.find(ref, call);
    return found === null ? { state: 'gone' } : this.stateOf(found, call);
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    const machines = await this.allMachines(call);
    return machines
      .filter(({ tags }) => tags?.[OWNER_TAG] === owner)
      .map((machine) => ({
        ref: refOf(machine),
        owner,
        token: machine.tags?.[TOKEN_TAG] ?? null,
        createdAt: machine.timeCreated?.getTime() ?? null,
      }));
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const found = await this.find(ref, call);
    const place = found === null ? null : parseArmId(found.id ?? '');
    if (found === null || place === null) return 'done';
    if (found.provisioningState === 'Deleting') return 'pending';
    await this.options.arm.deleteMachine(place, call).catch((error: unknown) => {
      // Something else is being done to it: the next call finds it deleted, or deletes it.
      const isBusy = /^(OperationNotAllowed|AnotherOperationInProgress|Conflict)$/.test(armCode(error) ?? '');
      if (!isBusy && !isMissing(error)) throw error;
    });
    return 'pending';
  }

  private async make(attempt: Attempt, { kind, use, publicIps }: Make, call: Call): Promise<MachineState> {
    const { cloudName, offer, zone } = attempt;
    const { config, arm } = this.options;
    const group = await this.resourceGroup(attempt.project, call);
    const place = { group, name: cloudName };
    const [subnetId, securityGroupId] = await Promise.all([
      this.networks.subnet(offer.region, group, call),
      this.networks.securityGroup(use, offer.region, group, call),
    ]);
    const identity = use === 'gateway' ? null : identityId(config);
    const tags = machineTags(attempt, config.tags ?? {});
    const reservationId = use === 'gateway' ? null : this.reservationId(attempt.reservation);
    const plan = { subnetId, securityGroupId, publicIps, identityId: identity, reservationId, tags };
    const request = createRequest(attempt, kind, plan);
    try {
      await arm.createMachine(place, request, call);
    } catch (error) {
      // Made, or being made, by an earlier call of this attempt.
      const made = IS_THERE.test(armCode(error) ?? '')
        ? await arm.machine(place, call).catch(unlessMissing)
        : undefined;
      if (made !== undefined) return this.stateOf(made, call);
      this.networks.forget(offer.region, group, error);
      if (armCode(error) === 'ResourceGroupNotFound') this.resourceGroups.forget(attempt.project);
      throw error;
    }
    const machineId = armId(config.subscription_id, group, 'Microsoft.Compute/virtualMachines', cloudName);
    return { state: 'pending', ref: { cloudName, machineId, region: offer.region, zone, backendData: null } };
  }

  /** The addresses are its card's and the card's public address's. */
  private async stateOf(machine: VirtualMachine, call: Call): Promise<MachineState> {
    return earlyStateOf(machine) ?? stateWith(await this.addressesOf(machine, call), machine);
  }

  private async addressesOf({ networkProfile }: VirtualMachine, call: Call): Promise<Addresses> {
    const card = parseArmId(networkProfile?.networkInterfaces?.[0]?.id ?? '');
    const none = { publicIp: null, privateIp: null, isPublic: true };
    if (card === null) return none;
    const { arm } = this.options;
    const found = await arm.card(card, call).catch(unlessMissing);
    const configuration = found?.ipConfigurations?.[0];
    if (configuration === undefined) return none;
    const { privateIPAddress: privateIp = null, publicIPAddress: target } = configuration;
    if (target?.id === undefined) return { publicIp: null, privateIp, isPublic: false };
    const address = parseArmId(target.id);
    const publicIp =
      address === null ? null : ((await arm.address(address, call).catch(unlessMissing))?.ipAddress ?? null);
    return { publicIp, privateIp, isPublic: true };
  }

  /** Null: none is wanted, it is not of this account, or there is no such group. */
  private async reserved(text: string | null, call: Call): Promise<Reserved | null> {
    const { arm, config } = this.options;
    const place = text === null ? null : reservationPlace(text, config.subscription_id);
    const id = this.reservationId(text);
    if (place === null || id === null) return null;
    const found = await arm.capacityReservations(place, call).catch(unlessMissing);
    return found === undefined ? null : { id, sizes: reservedSizes(found) };
  }

  private reservationId(text: string | null): string | null {
    const { subscription_id: subscription } = this.options.config;
    const place = text === null ? null : reservationPlace(text, subscription);
    return place && armId(subscription, place.group, 'Microsoft.Compute/capacityReservationGroups', place.name);
  }

  private async ask(region: string, call: Call): Promise<RegionFacts> {
    const [skus, usages] = await Promise.all([
      this.orUntold(region, () => this.options.arm.skus(region, call)),
      this.orUntold(region, () => this.options.arm.usages(region, call)),
    ]);
    return {
      families: skus === null ? null : usableFamilies(skus),
      limits:
        usages === null ? null : new Map(usages.map(({ name, limit }) => [(name.value ?? '').toLowerCase(), limit])),
    };
  }

  /** Who is not let in has no offers; who may only not ask for this, or gets no answer now, has them all. */
  private async orUntold<T>(region: string, ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      const isRefused =
        isBackendError(error) && error.failure.kind === 'credentials' && armCode(error) !== 'AuthorizationFailed';
      if (!isBackendError(error) || isRefused) throw error;
      this.options.environment.log(
        'warn',
        `Azure does not tell what the account may have in ${region} (${error.message})`,
      );
      return null;
    }
  }

  private resourceGroup(project: string, call: Call): Promise<string> {
    const { config, arm } = this.options;
    return this.resourceGroups.get(project, call, async () => {
      if (config.resource_group) return config.resource_group;
      const name = `dstack-${project}`;
      try {
        await arm.resourceGroup(name, call);
      } catch (error) {
        if (!isMissing(error)) throw error;
        await arm.createResourceGroup(name, GROUP_REGION, { owner: 'dstack', dstack_project: project }, call);
      }
      return name;
    });
  }

  private async find({ machineId, cloudName }: MachineRef, call: Call): Promise<VirtualMachine | null> {
    const place = machineId === null ? await this.placeOf(cloudName, call) : parseArmId(machineId);
    if (place === null) return null;
    return (await this.options.arm.machine(place, call).catch(unlessMissing)) ?? null;
  }

  private async placeOf(name: string, call: Call): Promise<ArmPlace | null> {
    const group = this.options.config.resource_group;
    if (group) return { group, name };
    const found = (await this.allMachines(call)).find((machine) => machine.name === name);
    return parseArmId(found?.id ?? '');
  }

  /** Of the subscription; who may only look into the resource group sees what is there. */
  private async allMachines(call: Call): Promise<VirtualMachine[]> {
    const { config, arm } = this.options;
    try {
      return await arm.machines(null, call);
    } catch (error) {
      if (armCode(error) !== 'AuthorizationFailed' || !config.resource_group) throw error;
      return arm.machines(config.resource_group, call);
    }
  }
}

export function identityId({ subscription_id: subscription, vm_managed_identity: given }: AzureConfig): string | null {
  const [group, name] = (given ?? '').split('/');
  if (group === undefined || name === undefined) return null;
  return armId(subscription, group, 'Microsoft.ManagedIdentity/userAssignedIdentities', name);
}

function unlessMissing(error: unknown): undefined {
  if (isMissing(error)) return undefined;
  throw error;
}
