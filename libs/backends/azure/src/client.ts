import type {
  CapacityReservation,
  ComputeManagementClient,
  ResourceSku,
  Usage,
  VirtualMachine,
} from '@azure/arm-compute';
import type {
  NetworkInterface,
  NetworkManagementClient,
  NetworkSecurityGroup,
  PublicIPAddress,
  Subnet,
  VirtualNetwork,
} from '@azure/arm-network';
import type { ResourceManagementClient } from '@azure/arm-resources';
import { type Call, withinCall } from '@dstack/backend-base';
import { decideRetry } from '@dstack/backend-base/rest';
import type { AzureAccess } from './access.js';
import type { ArmPlace } from './arm-id.js';
import { explainAzure, triedAs } from './errors.js';
import { noRetries, ownToken } from './pipeline.js';

/** Of Microsoft.ManagedIdentity: the generic call has to name one. */
const IDENTITY_API = '2023-01-31';

/** The calls of Azure Resource Manager that are used; all failures are `BackendError`s. Its libraries are large and loaded by the first call of each. */
export class Arm {
  private readonly computing = lazily(() => this.openCompute());
  private readonly networking = lazily(() => this.openNetwork());
  private readonly managing = lazily(() => this.openResources());

  constructor(private readonly access: AzureAccess) {}

  /** Answered as soon as it is accepted; an existing machine of the name is left alone, and a refusal (`PreconditionFailed`). */
  createMachine({ group, name }: ArmPlace, machine: VirtualMachine, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const { virtualMachines } = await this.computing();
      abortSignal.throwIfAborted();
      await virtualMachines.createOrUpdate(group, name, machine, { abortSignal, ifNoneMatch: '*' }).submitted();
    });
  }

  machine({ group, name }: ArmPlace, call: Call): Promise<VirtualMachine> {
    return this.run(call, async (abortSignal) =>
      (await this.computing()).virtualMachines.get(group, name, { abortSignal, expand: 'instanceView' }),
    );
  }

  /** Of a resource group, or of the subscription. */
  machines(group: string | null, call: Call): Promise<VirtualMachine[]> {
    return this.run(call, async (abortSignal) => {
      const { virtualMachines } = await this.computing();
      return collect(
        group === null ? virtualMachines.listAll({ abortSignal }) : virtualMachines.list(group, { abortSignal }),
        abortSignal,
      );
    });
  }

  /** Accepted, and carried out later. */
  deleteMachine({ group, name }: ArmPlace, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const { virtualMachines } = await this.computing();
      await virtualMachines.delete(group, name, { abortSignal, forceDeletion: true }).submitted();
    });
  }

  /** Of a group, each with the machines in it. */
  capacityReservations({ group, name }: ArmPlace, call: Call): Promise<CapacityReservation[]> {
    return this.run(call, async (abortSignal) => {
      const { capacityReservations } = await this.computing();
      return collect(capacityReservations.listByCapacityReservationGroup(group, name, { abortSignal }), abortSignal);
    });
  }

  skus(region: string, call: Call): Promise<ResourceSku[]> {
    return this.run(call, async (abortSignal) =>
      collect(
        (await this.computing()).resourceSkus.list({ filter: `location eq '${region}'`, abortSignal }),
        abortSignal,
      ),
    );
  }

  usages(region: string, call: Call): Promise<Usage[]> {
    return this.run(call, async (abortSignal) =>
      collect((await this.computing()).usage.list(region, { abortSignal }), abortSignal),
    );
  }

  network({ group, name }: ArmPlace, call: Call): Promise<VirtualNetwork> {
    return this.run(call, async (abortSignal) =>
      (await this.networking()).virtualNetworks.get(group, name, { abortSignal }),
    );
  }

  /** Accepted, and carried out later. */
  createNetwork({ group, name }: ArmPlace, network: VirtualNetwork, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await (await this.networking()).virtualNetworks.createOrUpdate(group, name, network, { abortSignal }).submitted();
    });
  }

  subnets({ group, name }: ArmPlace, call: Call): Promise<Subnet[]> {
    return this.run(call, async (abortSignal) =>
      collect((await this.networking()).subnets.list(group, name, { abortSignal }), abortSignal),
    );
  }

  securityGroup({ group, name }: ArmPlace, call: Call): Promise<NetworkSecurityGroup> {
    return this.run(call, async (abortSignal) =>
      (await this.networking()).networkSecurityGroups.get(group, name, { abortSignal }),
    );
  }

  /** Accepted, and carried out later. */
  createSecurityGroup({ group, name }: ArmPlace, made: NetworkSecurityGroup, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await (
        await this.networking()
      ).networkSecurityGroups
        .createOrUpdate(group, name, made, { abortSignal })
        .submitted();
    });
  }

  card({ group, name }: ArmPlace, call: Call): Promise<NetworkInterface> {
    return this.run(call, async (abortSignal) =>
      (await this.networking()).networkInterfaces.get(group, name, { abortSignal }),
    );
  }

  address({ group, name }: ArmPlace, call: Call): Promise<PublicIPAddress> {
    return this.run(call, async (abortSignal) =>
      (await this.networking()).publicIPAddresses.get(group, name, { abortSignal }),
    );
  }

  /** Whether there is such a group, which is also whether the account may look. */
  resourceGroup(name: string, call: Call): Promise<void> {
    return this.run(
      call,
      async (abortSignal) => void (await (await this.managing()).resourceGroups.get(name, { abortSignal })),
    );
  }

  /** Any: whether the account sees the subscription at all. */
  anyResourceGroup(call: Call): Promise<void> {
    return this.run(
      call,
      async (abortSignal) => void (await (await this.managing()).resourceGroups.list({ top: 1, abortSignal }).next()),
    );
  }

  createResourceGroup(name: string, location: string, tags: Record<string, string>, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      await (await this.managing()).resourceGroups.createOrUpdate(name, { location, tags }, { abortSignal });
    });
  }

  identity(id: string, call: Call): Promise<void> {
    return this.run(call, async (abortSignal) => {
      const { resources } = await this.managing();
      // A path as it is, after the slash of its own.
      const options = { abortSignal, requestOptions: { skipUrlEncoding: true } };
      await resources.getById(id.replace(/^\//, ''), IDENTITY_API, options);
    });
  }

  private async openCompute(): Promise<ComputeManagementClient> {
    const { ComputeManagementClient: Client } = await import('@azure/arm-compute');
    return this.prepared(new Client(this.access.credential, this.access.subscriptionId, this.options()));
  }

  private async openNetwork(): Promise<NetworkManagementClient> {
    const { NetworkManagementClient: Client } = await import('@azure/arm-network');
    return this.prepared(new Client(this.access.credential, this.access.subscriptionId, this.options()));
  }

  private async openResources(): Promise<ResourceManagementClient> {
    const { ResourceManagementClient: Client } = await import('@azure/arm-resources');
    return this.prepared(new Client(this.access.credential, this.access.subscriptionId, this.options()));
  }

  private options() {
    const { endpoint } = this.access;
    return endpoint === null ? {} : { endpoint, allowInsecureConnection: isPlain(endpoint) };
  }

  private prepared<C extends Pick<ComputeManagementClient, 'pipeline'>>(client: C): C {
    const { endpoint, credential } = this.access;
    noRetries(client.pipeline);
    if (endpoint !== null && isPlain(endpoint)) ownToken(client.pipeline, credential);
    return client;
  }

  /** All of these calls may be sent again. */
  private run<T>(call: Call, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { environment, secret } = this.access;
    return withinCall(
      call,
      async (signal) => {
        for (let tries = 1; ; tries += 1) {
          try {
            return await work(signal);
          } catch (error) {
            signal.throwIfAborted();
            const now = environment.now();
            const tried = triedAs(error, now);
            const rest = { tries, isRepeatable: true, msLeft: call.deadline - now };
            const waitMs = tried === null ? null : decideRetry({ ...tried, ...rest }, environment.random());
            if (waitMs === null) throw explainAzure(error, now, secret);
            await environment.sleep(waitMs, signal);
          }
        }
      },
      environment.now,
    );
  }
}

const isPlain = (url: string): boolean => url.startsWith('http:');

/** Once, however many ask at the same time; a failure is not kept. */
function lazily<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | null = null;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return opened;
  };
}

/** The libraries look at the signal for the first page only. */
async function collect<T>(pages: AsyncIterable<T>, signal: AbortSignal): Promise<T[]> {
  const found: T[] = [];
  for await (const each of pages) {
    signal.throwIfAborted();
    found.push(each);
  }
  return found;
}
