import {
  type Attempt,
  BackendError,
  type BackendEnvironment,
  type Call,
  cloudConfig,
  type Compute,
  type GatewaySupport,
  INSTALL_DOCKER,
  isBackendError,
  KEEP_GPUS_ON_RELOAD,
  Kept,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type OfferQuery,
  Survey,
  type Termination,
} from '@dstack/backend-base';
import type { Offer, OfferTable } from '@dstack/core';
import { accountQuotas } from './account-quotas.js';
import { AwsBalancers } from './aws-balancers.js';
import { AwsPlacementGroups } from './aws-placement-groups.js';
import { AwsVolumes } from './aws-volumes.js';
import { type AwsAccess, Ec2 } from './client.js';
import { type AwsConfig, DEFAULT_REGIONS } from './definition.js';
import { awsCode } from './errors.js';
import { imageQuery, newestImage } from './images.js';
import { OWNER_TAG, readData, refOf, stateOf, tagOf, TOKEN_TAG, writeData } from './machine-state.js';
import { gatewayGroup } from './balancer-groups.js';
import { gatewayAttempt } from './gateway-attempt.js';
import { Networks } from './networks.js';
import { awsOffers, type AwsOffersRequest, awsOfferTable, type RegionFacts } from './offers.js';
import { type LaunchPlan, machineTags, type Reservation, runInstances } from './run-instances.js';
import { ensureSecurityGroup, projectGroup } from './security-group.js';

const FACTS_KEPT_MS = 600_000;
const TABLE_KEPT_MS = 180_000;

/** For so long EC2 may not know a machine that it has just made. */
const SETTLES_MS = 60_000;

/** At once, of many regions. */
const PARALLEL = 8;

/** States in which a machine costs money or soon may. */
const COSTS = ['pending', 'running', 'shutting-down', 'stopping', 'stopped'];

const DEFAULT_DISK_GB = 100;

export interface AwsOptions {
  readonly config: AwsConfig;
  readonly access: AwsAccess;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log' | 'catalog'>;
}

export class AwsCompute implements Compute {
  readonly volumes: AwsVolumes;
  readonly placementGroups: AwsPlacementGroups;
  readonly gateways: GatewaySupport;
  private readonly balancers: AwsBalancers;
  private readonly regions: readonly string[];
  private readonly clients = new Map<string, Ec2>();
  private readonly networks: Networks;
  private readonly zones: Kept<string[]>;
  private readonly survey: Survey<RegionFacts>;
  private readonly table: Kept<OfferTable>;

  constructor(private readonly options: AwsOptions) {
    const { config, environment } = options;
    this.regions = config.regions ?? DEFAULT_REGIONS;
    this.networks = new Networks(config, FACTS_KEPT_MS, environment.now);
    this.zones = new Kept(Infinity, environment.now);
    this.survey = new Survey({
      ask: (region, call) => this.factsOf(region, call),
      // An account that may not ask for its quotas will not be told the next minute either.
      isWhole: ({ zones }) => zones !== null,
      keptMs: FACTS_KEPT_MS,
      now: environment.now,
    });
    this.table = new Kept(TABLE_KEPT_MS, environment.now);
    const ec2 = (region: string): Ec2 => this.ec2(region);
    const tags = config.tags ?? {};
    this.placementGroups = new AwsPlacementGroups(ec2, tags);
    this.balancers = new AwsBalancers({
      access: options.access,
      tags,
      everywhere: (ask) => this.everywhere(ask),
      network: (region, isPublic, call) => this.networks.of(region, this.ec2(region), call, isPublic),
      ec2,
    });
    this.gateways = {
      createReplica: ({ publicIp, instanceType, balancer, ...attempt }, call) =>
        this.launch(
          gatewayAttempt(attempt, instanceType),
          { isGateway: true, publicIps: publicIp, groupOf: (...where) => gatewayGroup(attempt, balancer, ...where) },
          call,
        ),
      terminateReplica: (ref, call) => this.terminate(ref, call),
      balancers: this.balancers,
    };
    this.volumes = new AwsVolumes({
      ec2,
      tags,
      everywhere: (ask) => this.everywhere(ask),
      find: (ref, call) => this.find(ref, call),
      zones: async (region, call) => {
        const { subnets } = await this.networks.of(region, this.ec2(region), call);
        return subnets.map(({ zone }) => zone).sort();
      },
    });
  }

  async offers({ requirements }: OfferQuery, call: Call): Promise<Offer[]> {
    call.signal.throwIfAborted();
    const reservation = await this.reserved(requirements.reservation ?? null, call);
    return awsOffers({ ...(await this.sold(call)), requirements, reservation });
  }

  async offerTable({ requirements }: OfferQuery, call: Call): Promise<OfferTable | null> {
    call.signal.throwIfAborted();
    if (requirements.reservation) return null;
    let isWhole = true;
    const table = await this.table.get('table', call, async () => {
      const sold = await this.sold(call);
      isWhole = sold.isWhole;
      return awsOfferTable(sold);
    });
    // What some regions had no time to tell is in the next one.
    if (!isWhole) this.table.forget('table');
    return table;
  }

  create(attempt: Attempt, call: Call): Promise<MachineState> {
    const publicIps = this.options.config.public_ips ?? true;
    const groupOf: MachineUse['groupOf'] = (client, vpcId, within) =>
      ensureSecurityGroup(client, vpcId, projectGroup(attempt.project, 'jobs'), within);
    return this.launch(attempt, { isGateway: false, publicIps, groupOf }, call);
  }

  private async launch(attempt: Attempt, machine: MachineUse, call: Call): Promise<MachineState> {
    const { region } = attempt.offer;
    const { environment } = this.options;
    const client = this.ec2(region);
    const { plan, user } = await this.planLaunch(attempt, machine, call);
    const data = writeData({ user, publicIps: machine.publicIps, createdAt: environment.now() });
    const made = await client.runInstances(runInstances(attempt, plan), call).catch((error: unknown) => {
      // Made by an earlier call of this attempt, when an image or a subnet was another.
      if (awsCode(error) === 'IdempotentParameterMismatch') return this.byToken(attempt, call);
      this.networks.forget(region, error);
      throw error;
    });
    if (made === null) throw new BackendError({ kind: 'outage', blocks: 'offer' }, 'EC2 named no machine');
    return stateOf(made, { ...refOf(made, region, data), cloudName: attempt.cloudName });
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const found = await this.find(ref, call);
    if (found !== null)
      return stateOf(found, { ...refOf(found, ref.region, ref.backendData), cloudName: ref.cloudName });
    return this.isYoung(ref) ? { state: 'pending', ref, reason: 'EC2 does not list it yet' } : { state: 'gone' };
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    const found = await this.everywhere(async (region) => {
      const instances = await this.ec2(region).instances({ filters: ownFilters(`tag:${OWNER_TAG}`, owner) }, call);
      return instances.map((instance) => ({
        ref: refOf(instance, region, null),
        owner,
        token: tagOf(instance, TOKEN_TAG),
        createdAt: instance.LaunchTime?.getTime() ?? null,
      }));
    });
    return found.flat();
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const found = await this.find(ref, call);
    if (found?.InstanceId === undefined) return this.isYoung(ref) ? 'pending' : 'done';
    const state = found.State?.Name;
    if (state === 'terminated') return 'done';
    if (state !== 'shutting-down') await this.ec2(ref.region).terminate(found.InstanceId, call).catch(unlessMissing);
    return 'pending';
  }

  async close(): Promise<void> {
    for (const client of this.clients.values()) client.close();
    await this.balancers.close();
  }

  /** As far as the regions have told by now. */
  private async sold(call: Call): Promise<Sold> {
    const known = await this.survey.of(this.regions, call);
    const experimental = this.options.config.experimental_instance_types ?? [];
    const regions = new Map(this.regions.map((region) => [region, known.get(region) ?? UNTOLD]));
    return {
      catalog: this.options.environment.catalog('aws'),
      experimental,
      regions,
      isWhole: known.size === this.regions.length,
    };
  }

  private async planLaunch(
    attempt: Attempt,
    { isGateway, publicIps, groupOf }: MachineUse,
    call: Call,
  ): Promise<{ plan: LaunchPlan; user: string }> {
    const { offer, zone } = attempt;
    const { config } = this.options;
    const client = this.ec2(offer.region);
    const { resources, name: type } = offer.instance;
    const query = imageQuery(isGateway ? {} : config, resources.gpus.length > 0);
    const arch = resources.cpu_arch === 'arm' ? 'arm64' : 'x86_64';
    const [network, images, efaCards, reservation] = await Promise.all([
      this.networks.of(offer.region, client, call, publicIps),
      client.images(query.name, query.owner, arch, call),
      client.efaCards(type, call),
      this.reserved(attempt.reservation, call),
    ]);
    const subnet = network.subnets.find((each) => zone === null || each.zone === zone);
    if (subnet === undefined) {
      const where = zone === null ? offer.region : zone;
      const text = `network ${network.vpcId} has no subnet in ${where} from which machines reach the internet`;
      throw new BackendError({ kind: 'no-capacity', blocks: 'zone' }, text);
    }
    const image = newestImage(images, query);
    const plan: LaunchPlan = {
      imageId: image.id,
      rootDevice: image.rootDevice,
      diskGb: Math.ceil((resources.disk?.size_mib ?? DEFAULT_DISK_GB * 1024) / 1024),
      subnetId: subnet.id,
      securityGroupId: await groupOf(client, network.vpcId, call),
      publicIps,
      userData: cloudConfig({
        authorizedKeys: attempt.authorizedKeys,
        // An image of one's own is as one wants it.
        steps: config.os_images || isGateway ? [] : [INSTALL_DOCKER, KEEP_GPUS_ON_RELOAD],
      }),
      instanceProfile: config.iam_instance_profile ?? null,
      reservation: reservation?.terms ?? null,
      efaCards,
      tags: machineTags(attempt, config.tags ?? {}),
    };
    return { plan, user: query.user };
  }

  private async factsOf(region: string, call: Call): Promise<RegionFacts> {
    const { access, environment } = this.options;
    const [zones, quotas] = await Promise.all([
      this.zones
        .get(region, call, () => this.ec2(region).zones(call))
        .catch((error: unknown) => {
          if (!isBackendError(error) || error.failure.kind === 'credentials') throw error;
          environment.log('warn', `AWS ${region} does not tell its zones (${error.message})`);
          return null;
        }),
      accountQuotas(region, access, call),
    ]);
    return { zones, quotas };
  }

  /** Null: none is wanted, or it is of another cloud or region. */
  private async reserved(id: string | null, call: Call): Promise<(Place & { readonly terms: Reservation }) | null> {
    if (id === null) return null;
    const found = await this.everywhere(async (region) => {
      const reservation = await this.ec2(region)
        .reservation(id, call)
        .catch((error: unknown) => unlessMissing(error) ?? null);
      if (reservation?.InstanceType === undefined || reservation.AvailabilityZone === undefined) return [];
      return [
        {
          region,
          zone: reservation.AvailabilityZone,
          type: reservation.InstanceType,
          free: reservation.AvailableInstanceCount ?? 0,
          terms: {
            id,
            isCapacityBlock: reservation.ReservationType === 'capacity-block',
            tenancy: reservation.Tenancy ?? 'default',
          },
        },
      ];
    });
    return found.flat()[0] ?? null;
  }

  private async find({ machineId, cloudName, region }: MachineRef, call: Call) {
    const client = this.ec2(region);
    if (machineId === null) {
      const named = await client.instances({ filters: ownFilters('tag:Name', cloudName) }, call);
      return named[0] ?? null;
    }
    const found = await client.instances({ ids: [machineId] }, call).catch(unlessMissing);
    return found?.[0] ?? null;
  }

  private async byToken({ token, offer }: Attempt, call: Call) {
    const filters = [{ Name: 'client-token', Values: [token] }];
    return (await this.ec2(offer.region).instances({ filters }, call))[0] ?? null;
  }

  private isYoung({ backendData }: MachineRef): boolean {
    return this.options.environment.now() < readData(backendData).createdAt + SETTLES_MS;
  }

  private ec2(region: string): Ec2 {
    const known = this.clients.get(region);
    if (known !== undefined) return known;
    const client = new Ec2(region, this.options.access);
    this.clients.set(region, client);
    return client;
  }

  /** In every region of the account, some at once. */
  private async everywhere<T>(ask: (region: string) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    for (let first = 0; first < this.regions.length; first += PARALLEL) {
      results.push(...(await Promise.all(this.regions.slice(first, first + PARALLEL).map(ask))));
    }
    return results;
  }
}

type Sold = Pick<AwsOffersRequest, 'catalog' | 'experimental' | 'regions'> & { readonly isWhole: boolean };

/** Of a region that has not answered yet: what the catalog says is offered. */
const UNTOLD: RegionFacts = { zones: null, quotas: null };

interface MachineUse {
  readonly isGateway: boolean;
  readonly publicIps: boolean;
  /** The security group it is put into. */
  readonly groupOf: (client: Ec2, vpcId: string, call: Call) => Promise<string>;
}

interface Place {
  readonly region: string;
  readonly zone: string;
  readonly type: string;
  readonly free: number;
}

function ownFilters(name: string, value: string) {
  return [
    { Name: name, Values: [value] },
    { Name: 'instance-state-name', Values: COSTS },
  ];
}

function unlessMissing(error: unknown): undefined {
  if (isBackendError(error) && error.failure.kind === 'not-found') return undefined;
  throw error;
}
