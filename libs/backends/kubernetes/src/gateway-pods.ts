import {
  type Attempt,
  BackendError,
  type BackendEnvironment,
  type Call,
  KeyedLock,
  type MachineRef,
  type MachineState,
  type Termination,
} from '@dstack/backend-base';
import type { KubernetesClient } from './client.js';
import type { Cluster } from './cluster.js';
import { isAlreadyThere } from './errors.js';
import { gatewayLabels, gatewayPod, gatewayService } from './gateway-pod.js';
import { gatewayState } from './gateway-state.js';
import { areAllAmongGpus } from './jumps.js';
import { makeOrClean } from './make-or-clean.js';
import type { Labels } from './names.js';
import { isAnother } from './refs.js';
import type { Pod, Service } from './schema.js';

export interface GatewayPodsOptions {
  readonly cluster: Cluster;
  readonly image: string;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log'>;
}

/** The pods of gateways in one cluster, each with a service of its name that gives it an address. */
export class GatewayPods {
  private readonly client: KubernetesClient;
  private readonly creating = new KeyedLock();

  constructor(private readonly options: GatewayPodsOptions) {
    this.client = options.cluster.client;
  }

  create(attempt: Attempt, call: Call): Promise<MachineState> {
    const making = {
      make: () => this.make(attempt, call),
      clean: () => this.remove(attempt.cloudName, call),
    };
    return this.creating.run(attempt.cloudName, () => makeOrClean(this.client, making, call));
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const pod = await this.client.pod(ref.cloudName, call);
    if (pod === null || isAnother(pod, ref)) return { state: 'gone' };
    const service = await this.service(pod.metadata.name, pod.metadata.labels, call);
    return gatewayState(pod, service, this.options.environment.now());
  }

  /** The service stays until what gave it its address has taken that back. */
  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const known = await this.client.pod(ref.cloudName, call);
    if (known !== null && isAnother(known, ref)) return 'done';
    return (await this.remove(ref.cloudName, call)) ? 'pending' : 'done';
  }

  private async make(attempt: Attempt, call: Call): Promise<MachineState> {
    const { cluster, image, environment } = this.options;
    const labels = gatewayLabels(attempt, (key) =>
      environment.log('warn', `Kubernetes takes no such label: ${key} is left out`),
    );
    const pod =
      (await this.client.pod(attempt.cloudName, call)) ??
      (await this.makePod(gatewayPod({ attempt, labels, image, amongGpus: areAllAmongGpus(await cluster.nodes(call)) }), attempt, call)); // prettier-ignore
    cluster.forgetRequests();
    return gatewayState(pod, await this.service(attempt.cloudName, labels, call), environment.now());
  }

  private async makePod(body: ReturnType<typeof gatewayPod>, { cloudName }: Attempt, call: Call): Promise<Pod> {
    try {
      return await this.client.createPod(body, call);
    } catch (error) {
      const made = isAlreadyThere(error) ? await this.client.pod(cloudName, call) : null;
      if (made !== null) return made;
      throw error;
    }
  }

  /** Made again where somebody has deleted it. */
  private async service(cloudName: string, labels: Labels, call: Call): Promise<Service> {
    const known = await this.client.service(cloudName, call);
    if (known !== null) return known;
    try {
      return await this.client.createService(gatewayService({ cloudName }, labels), call);
    } catch (error) {
      const made = isAlreadyThere(error) ? await this.client.service(cloudName, call) : null;
      if (made !== null) return made;
      throw error;
    }
  }

  /** False: there was nothing. */
  private async remove(name: string, call: Call): Promise<boolean> {
    const pod = await this.client.deletePod(name, call);
    const hadService = await this.client.delete('services', name, call);
    this.options.cluster.forgetRequests();
    return pod !== null || hadService;
  }
}

/** @throws {BackendError} of what a pod cannot be */
export function requirePodGateway({
  publicIp,
  instanceType,
}: {
  publicIp: boolean;
  instanceType: string | null;
}): void {
  const refuse = (message: string): never => {
    throw new BackendError({ kind: 'rejected', blocks: 'account' }, message);
  };
  if (instanceType !== null) refuse('a gateway on Kubernetes is a pod: remove `instance_type`');
  if (!publicIp) refuse('a gateway on Kubernetes is reached by its load balancer: remove `public_ip: false`');
}
