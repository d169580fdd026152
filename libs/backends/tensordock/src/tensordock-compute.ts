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
import type { TensorDockClient } from './client.js';
import { cloudNameOf, createRequest, ownName } from './create-request.js';
import { isGone, stateOf } from './machine-state.js';
import { offersOf, parseTypeName } from './offers.js';
import type { TensorDockInstance, TensorDockLocation } from './schema.js';

const LOCATIONS_KEPT_MS = 180_000;

export interface TensorDockOptions {
  readonly client: TensorDockClient;
  /** Null: all. */
  readonly regions: readonly string[] | null;
  readonly environment: Pick<BackendEnvironment, 'now'>;
}

export class TensorDockCompute implements Compute {
  private readonly creating = new KeyedLock();
  private readonly locations: Kept<TensorDockLocation[]>;

  constructor(private readonly options: TensorDockOptions) {
    this.locations = new Kept(LOCATIONS_KEPT_MS, options.environment.now);
  }

  async offers({ requirements }: OfferQuery, call: Call): Promise<Offer[]> {
    call.signal.throwIfAborted();
    const { client, regions } = this.options;
    const locations = await this.locations.get('all', call, () => client.locations(call));
    const offers = offersOf(locations, requirements);
    return regions === null
      ? offers
      : offers.filter(({ region }) => regions.some((wanted) => isWithin(region, wanted)));
  }

  /** TensorDock knows no token: whoever asks looks first, and within this process no two look at once. */
  create(attempt: Attempt, call: Call): Promise<MachineState> {
    return this.creating.run(attempt.token, async () => {
      const name = ownName(attempt);
      const known = (await this.options.client.instances(call)).find((each) => each.name === name && !isGone(each));
      return known === undefined ? this.launch(attempt, call) : stateOf(known, refOf(attempt, name, known.id));
    });
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const found = await this.find(ref, call);
    return found === undefined ? { state: 'gone' } : stateOf(found, { ...ref, machineId: found.id });
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    const instances = await this.options.client.instances(call);
    return instances.flatMap((instance) => {
      const { id, name } = instance;
      const cloudName = cloudNameOf(name ?? '', owner);
      if (cloudName === null || isGone(instance)) return [];
      const ref = { cloudName, machineId: id, region: '', zone: null, backendData: name ?? null };
      return [{ ref, owner, token: null, createdAt: null }];
    });
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const found = await this.find(ref, call);
    if (found === undefined || isGone(found)) return 'done';
    await this.options.client.remove(found.id, call).catch(unlessMissing);
    return 'pending';
  }

  private async launch(attempt: Attempt, call: Call): Promise<MachineState> {
    const type = parseTypeName(attempt.offer.instance.name);
    const [key] = attempt.authorizedKeys;
    if (type === null || key === undefined) {
      const text = type === null ? `no machine of TensorDock: ${attempt.offer.instance.name}` : 'no key to log in with';
      throw new BackendError({ kind: 'rejected', blocks: 'offer' }, text);
    }
    const id = await this.options.client.create(createRequest(attempt, type, key.trim()), call);
    return { state: 'pending', ref: refOf(attempt, ownName(attempt), id) };
  }

  private async find(
    { machineId, cloudName, backendData }: MachineRef,
    call: Call,
  ): Promise<TensorDockInstance | undefined> {
    const { client } = this.options;
    if (machineId !== null) return client.instance(machineId, call).catch(unlessMissing);
    // Without the owner's mark the name is still the server's own: it is never used twice.
    const isIt = ({ name }: TensorDockInstance): boolean =>
      name === backendData || (name?.startsWith(`${cloudName}-`) ?? false);
    return (await client.instances(call)).find((instance) => isIt(instance) && !isGone(instance));
  }
}

function refOf({ cloudName, offer }: Attempt, name: string, id: string): MachineRef {
  return { cloudName, machineId: id, region: offer.region, zone: null, backendData: name };
}

/** `unitedstates`, as configurations had it, is the country. */
function isWithin(region: string, wanted: string): boolean {
  const bare = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return bare(region).startsWith(bare(wanted));
}

function unlessMissing(error: unknown): undefined {
  if (isBackendError(error) && error.failure.kind === 'not-found') return undefined;
  throw error;
}
