import {
  type Attempt,
  BackendError,
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
import { askFilters, diskGb } from './ask-filters.js';
import type { VastaiClient } from './client.js';
import { createRequest, OWNER_VARIABLE, TOKEN_VARIABLE } from './create-request.js';
import { refOf, stateOf, variableOf } from './machine-state.js';
import { offersOf } from './offers.js';
import type { VastaiInstance } from './schema.js';

/** Asks come and go: what is older is often gone. */
const OFFERS_KEPT_MS = 180_000;
const MOST_KEPT = 10;

export interface VastaiOptions {
  readonly client: VastaiClient;
  /** Null: everywhere. */
  readonly regions: readonly string[] | null;
  readonly withCommunity: boolean;
  readonly environment: Pick<BackendEnvironment, 'now'>;
}

export class VastaiCompute implements Compute {
  private readonly creating = new KeyedLock();
  private readonly kept: Kept<Offer[]>;
  private readonly keptKeys: string[] = [];

  constructor(private readonly options: VastaiOptions) {
    this.kept = new Kept(OFFERS_KEPT_MS, options.environment.now);
  }

  async offers({ requirements }: OfferQuery, call: Call): Promise<Offer[]> {
    call.signal.throwIfAborted();
    // Containers of different hosts share no network.
    if (requirements.multinode) return [];
    const filters = askFilters(requirements, this.options);
    const key = JSON.stringify(filters);
    this.makeRoom(key);
    const offers = await this.kept.get(key, call, async () => {
      return offersOf(await this.options.client.asks(filters, call), diskGb(requirements.resources));
    });
    const { regions } = this.options;
    const here = regions === null ? offers : offers.filter(({ region }) => regions.includes(region));
    return structuredClone(here);
  }

  /** Vast.ai knows no token: whoever asks looks first, and within this process no two look at once. */
  create(attempt: Attempt, call: Call): Promise<MachineState> {
    return this.creating.run(attempt.token, async () => {
      const known = await this.byName(attempt.cloudName, call);
      return known === undefined ? this.rent(attempt, call) : stateOf(known);
    });
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const instance = await this.find(ref, call);
    return instance === undefined ? { state: 'gone' } : stateOf(instance);
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    const instances = await this.options.client.instances({}, call);
    return instances
      .filter((instance) => variableOf(instance, OWNER_VARIABLE) === owner)
      .map((instance) => ({
        ref: refOf(instance),
        owner,
        token: variableOf(instance, TOKEN_VARIABLE),
        createdAt: instance.start_date ? Math.round(instance.start_date * 1000) : null,
      }));
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const id = ref.machineId ?? (await this.byName(ref.cloudName, call))?.id;
    if (id !== undefined) await this.options.client.destroy(String(id), call).catch(unlessMissing);
    return 'done';
  }

  private async rent(attempt: Attempt, call: Call): Promise<MachineState> {
    const { cloudName, offer, container } = attempt;
    try {
      const id = await this.options.client.create(offer.instance.name, createRequest(attempt), call);
      const ref = { cloudName, machineId: id, region: offer.region, zone: null, backendData: null };
      return { state: 'pending', ref };
    } catch (error) {
      const isDefinite = isBackendError(error) && error.failure.kind !== 'outage' && error.failure.kind !== 'throttled';
      // A bid that is too low is refused, and may leave a stopped instance behind all the same.
      if (isDefinite && offer.instance.resources.spot) await this.terminate(refByName(attempt), call);
      throw withoutSecret(error, container?.registryAuth?.password);
    }
  }

  /** The oldest answers go: requirements are as many as jobs. */
  private makeRoom(key: string): void {
    if (this.keptKeys.includes(key)) return;
    this.keptKeys.push(key);
    if (this.keptKeys.length > MOST_KEPT) this.kept.forget(this.keptKeys.shift() ?? '');
  }

  private async find({ machineId, cloudName }: MachineRef, call: Call): Promise<VastaiInstance | undefined> {
    if (machineId === null) return this.byName(cloudName, call);
    return this.options.client.instance(machineId, call).catch(unlessMissing);
  }

  private async byName(name: string, call: Call): Promise<VastaiInstance | undefined> {
    return (await this.options.client.instances({ label: { eq: name } }, call)).find(({ label }) => label === name);
  }
}

function refByName({ cloudName, offer }: Attempt): MachineRef {
  return { cloudName, machineId: null, region: offer.region, zone: null, backendData: null };
}

/** The request holds the password of a registry, and answers repeat what they were asked. */
function withoutSecret(error: unknown, secret: string | undefined): unknown {
  if (secret === undefined || !isBackendError(error) || !error.message.includes(secret)) return error;
  return new BackendError(error.failure, error.message.replaceAll(secret, '***'));
}

function unlessMissing(error: unknown): undefined {
  if (isBackendError(error) && error.failure.kind === 'not-found') return undefined;
  throw error;
}
