import {
  ADD_NVIDIA_RUNTIME,
  type Attempt,
  BackendError,
  type BackendEnvironment,
  type Call,
  cloudConfig,
  type Compute,
  isBackendError,
  KEEP_GPUS_ON_RELOAD,
  Kept,
  KeyedLock,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type Termination,
} from '@dstack/backend-base';
import type { Offer } from '@dstack/core';
import type { LambdaClient } from './client.js';
import { isStillBilled, OWNER_TAG, refOf, stateOf, tagOf, TOKEN_TAG } from './machine-state.js';
import { bundledOffers, liveOffers } from './offers.js';
import type { LambdaInstance } from './schema.js';
import { keyBlob, keyName } from './ssh-key.js';

const OFFERS_KEPT_MS = 180_000;

export interface LambdaOptions {
  readonly client: LambdaClient;
  /** Null: all. */
  readonly regions: readonly string[] | null;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log' | 'catalog'>;
}

export class LambdaCompute implements Compute {
  private readonly creating = new KeyedLock();
  private readonly kept: Kept<Offer[]>;

  constructor(private readonly options: LambdaOptions) {
    this.kept = new Kept(OFFERS_KEPT_MS, options.environment.now);
  }

  async offers(_query: unknown, call: Call): Promise<Offer[]> {
    call.signal.throwIfAborted();
    return structuredClone(await this.kept.get('offers', call, () => this.ask(call)));
  }

  /** Lambda knows no token: whoever asks looks first, and within this process no two look at once. */
  create(attempt: Attempt, call: Call): Promise<MachineState> {
    return this.creating.run(attempt.token, async () => {
      const known = await this.byName(attempt.cloudName, call);
      return known === undefined ? this.launch(attempt, call) : stateOf(known);
    });
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const instance = await this.find(ref, call);
    return instance === undefined ? { state: 'gone' } : stateOf(instance);
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    const instances = await this.options.client.instances(call);
    return instances
      .filter((instance) => tagOf(instance, OWNER_TAG) === owner && isStillBilled(instance))
      .map((instance) => ({ ref: refOf(instance), owner, token: tagOf(instance, TOKEN_TAG), createdAt: null }));
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const instance = await this.find(ref, call);
    if (instance === undefined || !isStillBilled(instance)) return 'done';
    if (instance.status !== 'terminating') await this.options.client.terminate(instance.id, call).catch(unlessMissing);
    return 'pending';
  }

  private async ask(call: Call): Promise<Offer[]> {
    const { client, environment } = this.options;
    try {
      const types = await client.types(call);
      return this.within(liveOffers(types, await client.regions(call)));
    } catch (error) {
      // A refusal is one; a cloud that does not answer may still have what it had.
      if (!isBackendError(error) || (error.failure.kind !== 'outage' && error.failure.kind !== 'throttled'))
        throw error;
      environment.log('warn', `Lambda cannot be asked for offers (${error.message}): those of the catalog are shown`);
      return this.within(bundledOffers(environment.catalog('lambda')));
    }
  }

  private within(offers: Offer[]): Offer[] {
    const { regions } = this.options;
    return regions === null ? offers : offers.filter(({ region }) => regions.includes(region));
  }

  private async launch(attempt: Attempt, call: Call): Promise<MachineState> {
    const { offer, cloudName, owner, token } = attempt;
    const { client } = this.options;
    const key = await this.ensureKey(attempt, call);
    const id = await client.launch(
      {
        region_name: offer.region,
        instance_type_name: offer.instance.name,
        ssh_key_names: [key],
        name: cloudName,
        tags: [
          { key: OWNER_TAG, value: owner },
          { key: TOKEN_TAG, value: token },
        ],
        user_data: cloudConfig({
          authorizedKeys: attempt.authorizedKeys,
          steps: [ADD_NVIDIA_RUNTIME, KEEP_GPUS_ON_RELOAD],
        }),
      },
      call,
    );
    const ref = { cloudName, machineId: id, region: offer.region, zone: null, backendData: null };
    return { state: 'pending', ref };
  }

  /** A launch takes the name of one key that Lambda knows. */
  private async ensureKey({ authorizedKeys }: Attempt, call: Call): Promise<string> {
    const [line] = authorizedKeys;
    if (line === undefined) throw new BackendError({ kind: 'rejected', blocks: 'account' }, 'no key to log in with');
    const { client } = this.options;
    const known = await this.knownKey(line, call);
    if (known !== undefined) return known;
    try {
      await client.addSshKey(keyName(line), line.trim(), call);
      return keyName(line);
    } catch (error) {
      // Somebody else may have added it meanwhile.
      const added =
        isBackendError(error) && error.failure.kind === 'rejected' ? await this.knownKey(line, call) : undefined;
      if (added === undefined) throw error;
      return added;
    }
  }

  private async knownKey(line: string, call: Call): Promise<string | undefined> {
    const keys = await this.options.client.sshKeys(call);
    return keys.find(({ public_key: key }) => keyBlob(key) === keyBlob(line))?.name;
  }

  private async find({ machineId, cloudName }: MachineRef, call: Call): Promise<LambdaInstance | undefined> {
    if (machineId === null) return this.byName(cloudName, call);
    return this.options.client.instance(machineId, call).catch(unlessMissing);
  }

  private async byName(name: string, call: Call): Promise<LambdaInstance | undefined> {
    const instances = await this.options.client.instances(call);
    return instances.find((instance) => instance.name === name && isStillBilled(instance));
  }
}

function unlessMissing(error: unknown): undefined {
  if (isBackendError(error) && error.failure.kind === 'not-found') return undefined;
  throw error;
}
