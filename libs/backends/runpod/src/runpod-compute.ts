import {
  type Attempt,
  type BackendEnvironment,
  type Call,
  type Compute,
  isBackendError,
  Kept,
  KeyedLock,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type OfferQuery,
  type Termination,
} from '@dstack/backend-base';
import type { Offer } from '@dstack/core';
import type { Bids, GpuQuery, RunpodClient } from './client.js';
import { readData } from './cluster-data.js';
import { clusterOffers, type ClusterTypes, withClusterStock } from './cluster-offers.js';
import { CLUSTER_VARIABLE } from './cluster-request.js';
import { Clusters } from './clusters.js';
import { isStillBilled, refOf, stateOf } from './machine-state.js';
import { NetworkVolumes } from './network-volumes.js';
import {
  asSpot,
  communityOffers,
  cpuOffers,
  type GpuOffersRequest,
  secureOffers,
  type Stock,
  withStock,
} from './offers.js';
import { isCountry, type Places } from './places.js';
import { OWNER_VARIABLE, podRequest, TOKEN_VARIABLE } from './pod-request.js';
import { RegistryCredentials } from './registry-credentials.js';
import type { RunpodCpu, RunpodPod } from './schema.js';

const OFFERS_KEPT_MS = 180_000;
/** What may be asked of a cluster before anything is known of it. */
const FIRST = { rank: 0, pod: null, pods: [] } as const;

export interface RunpodOptions {
  readonly client: RunpodClient;
  readonly places: Places;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log' | 'catalog'>;
}

export class RunpodCompute implements Compute {
  readonly volumes: NetworkVolumes;
  readonly groups: Clusters;
  private readonly creating = new KeyedLock();
  private readonly stock: Kept<Stock | null>;
  private readonly clusterTypes: Kept<ClusterTypes>;
  private readonly bids: Kept<Bids>;
  private readonly cpus: Kept<readonly RunpodCpu[]>;
  private readonly registries: RegistryCredentials;

  constructor(private readonly options: RunpodOptions) {
    const { client, environment } = options;
    this.stock = new Kept(OFFERS_KEPT_MS, environment.now);
    this.clusterTypes = new Kept(OFFERS_KEPT_MS, environment.now);
    this.bids = new Kept(OFFERS_KEPT_MS, environment.now);
    this.cpus = new Kept(OFFERS_KEPT_MS, environment.now);
    this.registries = new RegistryCredentials(client, environment.now);
    this.volumes = new NetworkVolumes(client);
    this.groups = new Clusters(client, this.registries);
  }

  async offers({ requirements }: OfferQuery, call: Call): Promise<Offer[]> {
    call.signal.throwIfAborted();
    const { places } = this.options;
    const request = { catalog: this.options.environment.catalog('runpod'), requirements, places };
    // Pods of different hosts share no network: several nodes have one in a cluster.
    if (requirements.multinode) return this.clusterOffers(request, call);
    const known = [
      ...secureOffers(request),
      ...places.countries.flatMap((country) => communityOffers(request, country)),
    ];
    const [gpus, cpus] = await Promise.all([this.withStock(known, call), this.cpuOffers(call)]);
    const spot = requirements.spot === false ? [] : await this.spotOffers(gpus, call);
    // Of today's prices the order is another than the catalog's.
    return [...gpus, ...spot, ...cpus].sort((a, b) => a.price - b.price);
  }

  /** RunPod knows no token: whoever asks looks first, and within this process no two look at once. */
  create(attempt: Attempt, call: Call): Promise<MachineState> {
    return this.creating.run(attempt.token, async () => {
      const known = await this.byName(attempt.cloudName, call);
      return known === undefined ? this.deploy(attempt, call) : stateOf(known);
    });
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const cluster = readData(ref);
    if (cluster !== null) return this.groups.get(ref, cluster, call);
    const pod = await this.find(ref, call);
    if (pod !== undefined) return stateOf(pod);
    // Of one that only the name is known of, nobody knows what it is.
    return ref.machineId === null ? this.groups.get(ref, FIRST, call) : { state: 'gone' };
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    const ours = (await this.options.client.pods(call)).filter(
      (pod) => pod.env?.[OWNER_VARIABLE] === owner && isStillBilled(pod),
    );
    const [members, single] = partition(ours, ({ env }) => env?.[CLUSTER_VARIABLE] !== undefined);
    const clusters = await this.groups.list(owner, members, call);
    const names = [...single.map(({ name }) => name), ...clusters.map(({ ref }) => ref.cloudName)];
    await this.registries.sweep(owner, new Set(names), call).catch((error: unknown) => {
      // What is left over is looked for again; machines are told in any case.
      this.options.environment.log('warn', `RunPod's registry credentials cannot be swept: ${String(error)}`);
    });
    const pods = single.map((pod) => ({
      ref: refOf(pod),
      owner,
      token: pod.env?.[TOKEN_VARIABLE] ?? null,
      createdAt: Date.parse(pod.createdAt ?? '') || null,
    }));
    return [...pods, ...clusters];
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    if (readData(ref) !== null) return this.groups.terminate(ref, call);
    const pod = await this.find(ref, call);
    if (pod === undefined && ref.machineId === null) return this.groups.terminate(ref, call);
    if (pod === undefined || !isStillBilled(pod)) return 'done';
    const { client } = this.options;
    await client.terminate(pod.id, call).catch(unlessMissing);
    const owner = pod.env?.[OWNER_VARIABLE];
    if (pod.registry && owner !== undefined) await this.registries.remove(pod.registry, call);
    return 'done';
  }

  private async deploy(attempt: Attempt, call: Call): Promise<MachineState> {
    const { cloudName, offer, container } = attempt;
    const auth = container?.registryAuth ?? null;
    const registryId = auth === null ? null : await this.registries.ensure(attempt, auth, call);
    try {
      const id = await this.options.client.deploy(podRequest(attempt, registryId), call);
      const ref = { cloudName, machineId: id, region: offer.region, zone: null, backendData: null };
      return { state: 'pending', ref };
    } catch (error) {
      const hasNoPod = isBackendError(error) && error.failure.kind !== 'outage' && error.failure.kind !== 'throttled';
      if (registryId !== null && hasNoPod) await this.registries.remove(registryId, call);
      throw error;
    }
  }

  private async clusterOffers(request: GpuOffersRequest, call: Call): Promise<Offer[]> {
    const { client } = this.options;
    const types = await this.clusterTypes
      .get('types', call, async () => new Map((await client.clusterTypes(call)).map((type) => [type.id, type])))
      .catch((error: unknown) => this.unknown(error, null));
    const known = clusterOffers(request);
    const counts = new Set(known.map(({ instance }) => instance.resources.gpus.length));
    const stocks = new Map<number, Stock | null>();
    for (const count of counts) {
      const query = { count, cloud: 'SECURE', countryCode: null, product: 'CLUSTER' } as const;
      stocks.set(count, await this.askStock(JSON.stringify(query), query, call));
    }
    return known
      .map((offer) => withClusterStock(offer, types, stocks.get(offer.instance.resources.gpus.length) ?? null))
      .sort((a, b) => a.price - b.price);
  }

  private async withStock(offers: readonly Offer[], call: Call): Promise<Offer[]> {
    const stocks = new Map<string, Stock | null>();
    for (const offer of offers) {
      const query = stockQuery(offer);
      const key = JSON.stringify(query);
      if (!stocks.has(key)) stocks.set(key, await this.askStock(key, query, call));
    }
    return offers.map((offer) => {
      const stock = stocks.get(JSON.stringify(stockQuery(offer))) ?? null;
      return stock === null ? offer : withStock(offer, stock);
    });
  }

  /** Null while RunPod does not answer: nobody knows then. */
  private askStock(key: string, query: GpuQuery, call: Call): Promise<Stock | null> {
    const asked = this.stock.get(key, call, async () => {
      const gpus = await this.options.client.gpus(query, call);
      return new Map(gpus.map((gpu) => [gpu.id, gpu]));
    });
    return asked.catch((error: unknown) => this.unknown(error, null));
  }

  /** Each number of GPUs is one question about all the places where there are some. */
  private async spotOffers(offers: readonly Offer[], call: Call): Promise<Offer[]> {
    const inStock = offers.filter(({ availability }) => availability === 'available');
    const groups = Map.groupBy(inStock, (offer) => JSON.stringify({ ...stockQuery(offer), countryCode: null }));
    const found = await Promise.all(
      [...groups.values()].map(async (group) => {
        const [first] = group;
        if (first === undefined) return [];
        const { count, cloud } = stockQuery(first);
        const places = [...new Set(group.map(({ region }) => region))].sort();
        const bids = await this.bids
          .get(JSON.stringify({ count, cloud, places }), call, () =>
            this.options.client.bids({ count, cloud, places }, call),
          )
          .catch((error: unknown) => this.unknown(error, new Map<string, ReadonlyMap<string, number>>()));
        return group.flatMap((offer) => asSpot(offer, bids.get(offer.region)?.get(offer.instance.name) ?? 0));
      }),
    );
    return found.flat();
  }

  private async cpuOffers(call: Call): Promise<Offer[]> {
    const flavors = await this.cpus
      .get('cpus', call, () => this.options.client.cpus(call))
      .catch((error: unknown) => this.unknown(error, []));
    return cpuOffers(flavors, this.options.places);
  }

  /** A refusal is one; a cloud that does not answer may still have what it had. */
  private unknown<T>(error: unknown, instead: T): T {
    if (!isBackendError(error) || (error.failure.kind !== 'outage' && error.failure.kind !== 'throttled')) throw error;
    this.options.environment.log('warn', `RunPod cannot be asked for its stock: ${error.message}`);
    return instead;
  }

  private async find({ machineId, cloudName }: MachineRef, call: Call): Promise<RunpodPod | undefined> {
    if (machineId === null) return this.byName(cloudName, call);
    return this.options.client.pod(machineId, call).catch(unlessMissing);
  }

  private async byName(name: string, call: Call): Promise<RunpodPod | undefined> {
    return (await this.options.client.pods(call)).find((pod) => pod.name === name && isStillBilled(pod));
  }
}

function stockQuery({ instance, region }: Offer): GpuQuery {
  const isCommunity = isCountry(region);
  return {
    count: instance.resources.gpus.length,
    cloud: isCommunity ? 'COMMUNITY' : 'SECURE',
    countryCode: isCommunity ? region : null,
  };
}

function partition<T>(items: readonly T[], is: (item: T) => boolean): [T[], T[]] {
  return [items.filter(is), items.filter((item) => !is(item))];
}

function unlessMissing(error: unknown): undefined {
  if (isBackendError(error) && error.failure.kind === 'not-found') return undefined;
  throw error;
}
