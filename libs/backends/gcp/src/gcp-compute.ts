import {
  type Attempt,
  BackendError,
  type BackendEnvironment,
  type Call,
  callSignal,
  cloudConfig,
  type Compute,
  isBackendError,
  KeptTable,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type OfferQuery,
  type Termination,
} from '@dstack/backend-base';
import type { Offer, OfferTable } from '@dstack/core';
import { acceleratorName } from './accelerators.js';
import { Gce } from './client.js';
import type { NodePlan } from './create-node.js';
import { Credentials } from './credentials.js';
import { DEFAULT_REGIONS, type GcpConfig } from './definition.js';
import { diskPath } from './disk.js';
import { firstSteps } from './first-start.js';
import { GcpGateways } from './gateways.js';
import { imageOf } from './images.js';
import type { MachinePlan } from './insert-instance.js';
import { machineLabels, noLabels } from './labels.js';
import { readData } from './machine-data.js';
import { listed } from './machine-state.js';
import { Machines } from './machines.js';
import { MACHINE_TAG } from './network.js';
import { networkCards } from './network-cards.js';
import { Networks } from './networks.js';
import { listedNode } from './node-state.js';
import { gcpOffers } from './offers.js';
import { GcpPlacementGroups, policyPath } from './placement-groups.js';
import { freeQuotas, type FreeQuotas } from './quotas.js';
import { Regions } from './regions.js';
import { Reservations } from './reservations.js';
import { bootDiskType, takesGpus } from './sold-types.js';
import { TpuApi } from './tpu-client.js';
import { TpuGroups } from './tpu-groups.js';
import { isTpu } from './tpu-types.js';
import { Tpus } from './tpus.js';
import { GcpVolumes } from './volumes.js';

const DEFAULT_DISK_GB = 100;

export interface GcpOptions {
  readonly config: GcpConfig;
  readonly environment: BackendEnvironment;
}

export class GcpCompute implements Compute {
  readonly volumes: GcpVolumes;
  readonly gateways: GcpGateways;
  readonly placementGroups: GcpPlacementGroups;
  readonly groups = new TpuGroups((attempt, call) => this.create(attempt, call));
  private readonly gce: Gce;
  private readonly machines: Machines;
  private readonly tpus: Tpus;
  private readonly networks: Networks;
  private readonly reservations: Reservations;
  private readonly regions: Regions;
  private readonly publicIps: boolean;

  private readonly table: KeptTable;

  constructor(private readonly options: GcpOptions) {
    this.table = new KeptTable((query, call) => this.offers(query, call), options.environment.now);
    const { config, environment } = options;
    const credentials = new Credentials(config.creds, environment.now);
    this.publicIps = config.public_ips ?? true;
    this.gce = new Gce(config.project_id, credentials, environment);
    this.machines = new Machines({ gce: this.gce, environment });
    const api = new TpuApi(config.project_id, credentials, environment);
    this.tpus = new Tpus({ api, environment, publicIps: this.publicIps });
    this.networks = new Networks(config, this.gce, environment.now);
    this.reservations = new Reservations(this.gce, environment);
    this.regions = new Regions(this.gce, environment.now);
    const { gce, tpus, regions } = this;
    this.volumes = new GcpVolumes({ gce, api, tpus, regions, config, environment });
    this.placementGroups = new GcpPlacementGroups({ gce: this.gce, environment });
    this.gateways = new GcpGateways({ machines: this.machines, networks: this.networks, config, regions });
  }

  async offers({ requirements }: OfferQuery, call: Call): Promise<Offer[]> {
    callSignal(call, this.options.environment.now);
    const [regions, quotas, reserved] = await Promise.all([
      this.regionsWithNetwork(call),
      this.quotas(call),
      requirements.reservation ? this.reservations.find(requirements.reservation, call) : null,
    ]);
    return gcpOffers({ catalog: this.options.environment.catalog('gcp'), requirements, regions, quotas, reserved });
  }

  offerTable(query: OfferQuery, call: Call): Promise<OfferTable | null> {
    return this.table.of(query, call);
  }

  async create(attempt: Attempt, call: Call): Promise<MachineState> {
    callSignal(call, this.options.environment.now);
    const { offer } = attempt;
    const zone = attempt.zone ?? offer.availability_zones?.[0];
    if (zone === undefined)
      throw new BackendError({ kind: 'rejected', blocks: 'offer' }, `no zone is named for ${offer.instance.name}`);
    await this.networks.letIn(MACHINE_TAG, call);
    if (isTpu(offer.instance.name)) {
      const place = { zone, name: attempt.cloudName };
      return this.tpus.create(await this.nodePlan(attempt, zone, call), place, attempt.token, call);
    }
    return this.machines.create(await this.plan(attempt, zone, call), attempt.token, this.publicIps, call);
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const data = readData(ref);
    if (data?.isTpu === true) return this.tpus.get(ref, call);
    const state = await this.machines.get(ref, this.publicIps, call);
    return state.state === 'gone' && data === null ? this.tpus.get(ref, call) : state;
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    const [machines, nodes] = await Promise.all([this.machines.ofOwner(owner, call), this.tpus.ofOwner(owner, call)]);
    return [...machines.map((each) => listed(each, owner)), ...nodes.map((each) => listedNode(each, owner))];
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const data = readData(ref);
    if (data?.isTpu === true) return this.tpus.terminate(ref, call);
    const outcome = await this.machines.terminate(ref, call);
    // Of a machine that only the name is known of, nobody knows which kind it is.
    return outcome === 'done' && data === null ? this.tpus.terminate(ref, call) : outcome;
  }

  private async plan(attempt: Attempt, zone: string, call: Call): Promise<MachinePlan> {
    const { config } = this.options;
    const { offer } = attempt;
    const { name: type, resources } = offer.instance;
    const [gpu] = resources.gpus;
    const [choice, reserved] = await Promise.all([
      this.networks.choice(type, offer.region, call),
      attempt.reservation === null ? null : this.reservations.find(attempt.reservation, call),
    ]);
    const terms = reserved?.byZone.get(zone);
    if (attempt.reservation !== null && (reserved === null || terms === undefined)) {
      const text = `${zone} has nothing of the reservation ${attempt.reservation}`;
      throw new BackendError({ kind: 'no-capacity', blocks: 'zone' }, text);
    }
    return {
      project: config.project_id,
      zone,
      name: attempt.cloudName,
      type,
      gpus: resources.gpus.length,
      addedGpu: takesGpus(type) && gpu !== undefined ? acceleratorName(gpu.name) : null,
      isSpot: resources.spot,
      image: imageOf(type, gpu?.name ?? null, this.options.environment.machineImages),
      diskGb: Math.ceil((resources.disk?.size_mib ?? DEFAULT_DISK_GB * 1024) / 1024),
      diskType: bootDiskType(type),
      cards: networkCards(type, choice),
      targetTag: MACHINE_TAG,
      labels: this.labels(attempt),
      userData: cloudConfig({
        authorizedKeys: attempt.authorizedKeys,
        steps: firstSteps(type, choice.extra.length > 0),
      }),
      authorizedKeys: attempt.authorizedKeys,
      serviceAccount: config.vm_service_account ?? null,
      placementPolicy:
        attempt.placementGroup === null ? null : policyPath(config.project_id, offer.region, attempt.placementGroup),
      reservation: reserved === null || terms === undefined ? null : { path: reserved.path, terms },
    };
  }

  private async nodePlan(attempt: Attempt, zone: string, call: Call): Promise<NodePlan> {
    const { config } = this.options;
    const { name: type, resources } = attempt.offer.instance;
    const { main } = await this.networks.choice(type, attempt.offer.region, call);
    return {
      type,
      isSpot: resources.spot,
      ...main,
      publicIps: this.publicIps,
      targetTag: MACHINE_TAG,
      labels: this.labels(attempt),
      steps: firstSteps(type, false),
      authorizedKeys: attempt.authorizedKeys,
      serviceAccount: config.vm_service_account ?? null,
      dataDisks: attempt.volumeIds.map((id) => diskPath(config.project_id, zone, id)),
    };
  }

  private labels(attempt: Attempt): Record<string, string> {
    const { config, environment } = this.options;
    const none = noLabels(attempt.tags);
    if (none.length > 0)
      environment.log('warn', `Tags that Google takes for no labels are left out: ${none.join(', ')}`);
    return machineLabels(attempt, config.tags ?? {});
  }

  /** Those of the configuration; without it, those in which the network has a subnet, as far as Google says. */
  private async regionsWithNetwork(call: Call): Promise<ReadonlySet<string>> {
    const { regions } = this.options.config;
    if (regions) return new Set(regions);
    const usable = await this.networks.usable(call).catch((error: unknown) => this.unlessRefused('subnets', error));
    return new Set(usable === null ? DEFAULT_REGIONS : DEFAULT_REGIONS.filter((region) => usable.has(region)));
  }

  private async quotas(call: Call): Promise<ReadonlyMap<string, FreeQuotas>> {
    const regions = await this.regions.all(call).catch((error: unknown) => this.unlessRefused('quotas', error));
    return new Map((regions ?? []).map((region) => [region.name, freeQuotas(region)]));
  }

  /** What Google does not tell is not known; credentials it rejects are told. */
  private unlessRefused(what: string, error: unknown): null {
    const isRejected =
      isBackendError(error) && error.failure.kind === 'credentials' && !/forbidden/i.test(error.message);
    if (!isBackendError(error) || isRejected) throw error;
    this.options.environment.log('warn', `Google Cloud does not tell its ${what} (${error.message})`);
    return null;
  }
}
