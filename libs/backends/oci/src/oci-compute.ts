import {
  type Attempt,
  BackendError,
  type BackendEnvironment,
  type Call,
  type Compute,
  isBackendError,
  KeptTable,
  Kept,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type OfferQuery,
  type Termination,
} from '@dstack/backend-base';
import type { Offer, OfferTable } from '@dstack/core';
import type { ApiKey } from './api-key.js';
import { Oci } from './client.js';
import { Compartments } from './compartments.js';
import { type OciConfig, REGIONS } from './definition.js';
import { ociCode } from './errors.js';
import { Images } from './images.js';
import { launchRequest } from './launch-request.js';
import { earlyStateOf, isOver, OWNER_TAG, readData, refOf, stateWith, TOKEN_TAG } from './machine-state.js';
import { Networks } from './networks.js';
import { ociOffers } from './offers.js';
import { RegionSurvey } from './region-survey.js';
import type { OciInstance } from './schema.js';
import type { SignedRest } from './signed-rest.js';

const SUBSCRIPTIONS_KEPT_MS = 3_600_000;

/** For so long Oracle may not know a machine that it has just made. */
const SETTLES_MS = 60_000;

export interface OciOptions {
  readonly config: OciConfig;
  readonly apiKey: ApiKey;
  readonly rest: SignedRest;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log' | 'sleep' | 'catalog' | 'machineImages'>;
}

interface Subscriptions {
  readonly home: string;
  readonly ready: readonly string[];
}

export class OciCompute implements Compute {
  private readonly clients = new Map<string, Oci>();
  private readonly subscriptions: Kept<Subscriptions>;
  private readonly survey: RegionSurvey;
  private readonly compartments: Compartments;
  private readonly networks: Networks;
  private readonly images: Images;

  private readonly table: KeptTable;

  constructor(private readonly options: OciOptions) {
    this.table = new KeptTable((query, call) => this.offers(query, call), options.environment.now);
    const { config, apiKey, environment } = options;
    const configured = config.compartment_id ?? null;
    this.subscriptions = new Kept(SUBSCRIPTIONS_KEPT_MS, environment.now);
    this.survey = new RegionSurvey({
      tenancy: apiKey.tenancy,
      compartmentId: configured ?? apiKey.tenancy,
      clientOf: (region) => this.oci(region),
      environment,
    });
    this.compartments = new Compartments({
      configured,
      apiKey,
      clientOf: (region) => this.oci(region),
      homeRegion: async (call) => (await this.subscribed(call)).home,
      environment,
    });
    this.networks = new Networks(environment);
    this.images = new Images(environment);
  }

  async offers({ requirements }: OfferQuery, call: Call): Promise<Offer[]> {
    call.signal.throwIfAborted();
    const regions = await this.regions(call);
    const facts = await this.survey.of(regions, call);
    return ociOffers({ catalog: this.options.environment.catalog('oci'), requirements, regions: facts });
  }

  offerTable(query: OfferQuery, call: Call): Promise<OfferTable | null> {
    return this.table.of(query, call);
  }

  async create(attempt: Attempt, call: Call): Promise<MachineState> {
    const { offer, project, cloudName } = attempt;
    const client = this.oci(offer.region);
    const compartmentId = await this.compartments.of(project, offer.region, call);
    const { name: shape } = offer.instance;
    const [network, image, availabilityDomain] = await Promise.all([
      this.networks.of(project, compartmentId, client, call),
      this.images.of(shape, compartmentId, client, call),
      attempt.zone ?? this.survey.firstDomain(client, call),
    ]);
    const details = launchRequest(attempt, { compartmentId, availabilityDomain, image, ...network });
    const made = await client.launch(details, attempt.token, call).catch((error: unknown) => {
      // Made by an earlier call of this attempt, when an image or a subnet was another, or ended since.
      if (isUsedToken(error)) return this.byName(client, [compartmentId], cloudName, call);
      // One of what was found before may be gone; Oracle does not say which.
      if (isMissing(error)) {
        this.networks.forget(compartmentId, offer.region);
        this.images.forget(shape, compartmentId, offer.region);
      }
      throw error;
    });
    if (made === null)
      throw new BackendError({ kind: 'outage', blocks: 'offer' }, 'the token of the attempt is used up');
    return this.stateOf(made, client, call);
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const client = this.oci(ref.region);
    const found = await this.find(ref, client, call);
    if (found !== null) return this.stateOf(found, client, call);
    return this.isYoung(ref) ? { state: 'pending', ref, reason: 'Oracle does not list it yet' } : { state: 'gone' };
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    const [regions, compartments] = await Promise.all([this.regions(call), this.compartments.all(call)]);
    const found = await Promise.all(
      regions.flatMap((region) => compartments.map((compartment) => this.listIn(region, compartment, call))),
    );
    return found.flat().flatMap(({ region, instance }) => {
      if (instance.freeformTags?.[OWNER_TAG] !== owner || isOver(instance)) return [];
      const ref = refOf(instance, region);
      const token = instance.freeformTags[TOKEN_TAG] ?? null;
      return [{ ref, owner, token, createdAt: Date.parse(instance.timeCreated) || null }];
    });
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const client = this.oci(ref.region);
    const found = await this.find(ref, client, call);
    if (found === null) return this.isYoung(ref) ? 'pending' : 'done';
    if (isOver(found)) return 'done';
    if (found.lifecycleState === 'TERMINATING') return 'pending';
    await client.terminate(found.id, call).catch((error: unknown) => {
      // It is still being made, or on its way out: the next call ends it, or finds it ended.
      if (!isMissing(error) && !/^(IncorrectState|Conflict)$/.test(ociCode(error) ?? '')) throw error;
    });
    return 'pending';
  }

  private async stateOf(instance: OciInstance, client: Oci, call: Call): Promise<MachineState> {
    const early = earlyStateOf(instance, client.region);
    if (early !== null) return early;
    const vnic = await client.vnic(instance.compartmentId, instance.id, call).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    return stateWith(vnic, instance, client.region);
  }

  /**
   * Who may not look is told the same as who looks for what is not there. A list of the compartment tells them apart: it is refused to
   * the one, and empty for the other.
   */
  private async find(
    { machineId, cloudName, backendData }: MachineRef,
    client: Oci,
    call: Call,
  ): Promise<OciInstance | null> {
    if (machineId !== null) {
      const found = await client.instance(machineId, call).catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      });
      if (found !== null) return found;
    }
    const { compartmentId } = readData(backendData);
    const compartments = compartmentId === null ? await this.compartments.all(call) : [compartmentId];
    const named = await this.byName(client, compartments, cloudName, call);
    return named !== null && (machineId === null || named.id === machineId) ? named : null;
  }

  /** @throws {BackendError} `credentials` when the account may not look there any more */
  private async byName(
    client: Oci,
    compartments: readonly string[],
    name: string,
    call: Call,
  ): Promise<OciInstance | null> {
    const found = await Promise.all(
      compartments.map((compartment) =>
        client.instances(compartment, name, call).catch((error: unknown) => {
          if (!isMissing(error) || !isBackendError(error)) throw error;
          throw new BackendError({ kind: 'credentials', blocks: 'account' }, error.message, { cause: error.cause });
        }),
      ),
    );
    const named = found.flat().filter(({ displayName }) => displayName === name);
    return named.find((each) => !isOver(each)) ?? named[0] ?? null;
  }

  private async listIn(region: string, compartment: string, call: Call) {
    const instances = await this.oci(region).instances(compartment, null, call);
    return instances.map((instance) => ({ region, instance }));
  }

  private isYoung({ machineId, backendData }: MachineRef): boolean {
    return machineId !== null && this.options.environment.now() < readData(backendData).createdAt + SETTLES_MS;
  }

  /** Those of the configuration, else those that the tenancy has subscribed to. */
  private async regions(call: Call): Promise<readonly string[]> {
    const { regions } = this.options.config;
    return regions ?? (await this.subscribed(call)).ready.filter((region) => REGIONS.includes(region));
  }

  private subscribed(call: Call): Promise<Subscriptions> {
    const { apiKey } = this.options;
    return this.subscriptions.get('', call, async () => {
      const found = await this.oci(apiKey.region).regionSubscriptions(apiKey.tenancy, call);
      const ready = found.filter(({ status }) => status === 'READY').map(({ regionName }) => regionName);
      return { home: found.find(({ isHomeRegion }) => isHomeRegion)?.regionName ?? apiKey.region, ready };
    });
  }

  private oci(region: string): Oci {
    const known = this.clients.get(region);
    if (known !== undefined) return known;
    const client = new Oci(this.options.rest, region);
    this.clients.set(region, client);
    return client;
  }
}

/** Known by its code, or by words where the request is another than that of the token. */
function isUsedToken(error: unknown): boolean {
  if (ociCode(error) === 'InvalidatedRetryToken') return true;
  return isBackendError(error) && error.failure.kind === 'rejected' && /retry.?token/i.test(error.message);
}

function isMissing(error: unknown): boolean {
  return isBackendError(error) && error.failure.kind === 'not-found';
}
