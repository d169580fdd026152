import {
  type Attempt,
  BackendError,
  type BackendEnvironment,
  type Call,
  CONTAINER_AGENT_SOCKET,
  CONTAINER_SSH_PORT,
  KeyedLock,
  type MachineRef,
  type MachineState,
  type Termination,
} from '@dstack/backend-base';
import type { V1Secret } from '@kubernetes/client-node';
import type { KubernetesClient } from './client.js';
import type { Cluster } from './cluster.js';
import { isAlreadyThere } from './errors.js';
import { makeHostKey } from './host-key.js';
import { agentSecret, agentSecretName, jobPod, registrySecret, registrySecretName } from './job-pod.js';
import { jumpRequestOf, readJumpRequest } from './jump-request.js';
import { Jumps } from './jumps.js';
import { makeOrClean } from './make-or-clean.js';
import { HOST_KEY, jobLabels, JUMP, jumpName } from './names.js';
import { podState } from './pod-state.js';
import { isAnother, refOf } from './refs.js';
import type { Pod } from './schema.js';

/** How long a create waits for the scheduler's verdict, which takes milliseconds on a healthy cluster. */
const VERDICT_WAITS_MS = [100, 200, 400, 800, 1_500, 2_000, 2_000, 2_000];

export interface JobPodsOptions {
  readonly cluster: Cluster;
  /** Holds the agent; null: containers fetch it. */
  readonly agentImage: string | null;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log' | 'sleep'>;
}

/** The pods of jobs in one cluster, with what belongs to each: its secrets and the way to it. */
export class JobPods {
  private readonly jumps: Jumps;
  private readonly client: KubernetesClient;
  private readonly creating = new KeyedLock();

  constructor(private readonly options: JobPodsOptions) {
    this.jumps = new Jumps(options.cluster, options.agentImage);
    this.client = options.cluster.client;
  }

  create(attempt: Attempt, call: Call): Promise<MachineState> {
    return this.creating.run(attempt.cloudName, async () => {
      const known = await this.client.pod(attempt.cloudName, call);
      if (known !== null) return this.stateOf(known, call);
      const pod = await this.makeOrClean(attempt, call);
      this.options.cluster.forgetRequests();
      return this.verdict(pod, call);
    });
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    const pod = await this.client.pod(ref.cloudName, call);
    return pod === null || isAnother(pod, ref) ? { state: 'gone' } : this.stateOf(pod, call);
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    const known = await this.client.pod(ref.cloudName, call);
    const going = known === null || isAnother(known, ref) ? null : await this.client.deletePod(ref.cloudName, call);
    await this.removeBeside(ref.cloudName, call);
    const jump = known?.metadata.labels[JUMP];
    if (jump !== undefined) await this.jumps.releaseAfter(ref.cloudName, jump, call);
    if (going === null) return 'done';
    this.options.cluster.forgetRequests();
    return 'pending';
  }

  private makeOrClean(attempt: Attempt, call: Call): Promise<Pod> {
    const making = {
      make: () => this.make(attempt, call),
      clean: () => this.remove(attempt.cloudName, jumpName(attempt), call),
    };
    return makeOrClean(this.client, making, call);
  }

  private async make(attempt: Attempt, call: Call): Promise<Pod> {
    const { container, cloudName } = attempt;
    if (container === null)
      throw new BackendError(
        { kind: 'rejected', blocks: 'account' },
        'a pod is made to run something, and nothing is given',
      );
    const { agentImage } = this.options;
    const nodes = await this.options.cluster.nodes(call);
    const hostKey = makeHostKey();
    const labels = jobLabels(attempt, jumpName(attempt), (key) =>
      this.options.environment.log('warn', `Kubernetes takes no such label: ${key} is left out`),
    );
    const pod = jobPod({ attempt, container, labels, hostKey, agentImage, nodes });
    await this.jumps.ensure(jumpRequestOf(attempt), call);
    await this.putSecret(agentSecret(agentSecretName(cloudName), labels, hostKey), call);
    const registry = registrySecret(attempt, labels, container);
    if (registry !== null) await this.putSecret(registry, call);
    try {
      return await this.client.createPod(pod, call);
    } catch (error) {
      const made = isAlreadyThere(error) ? await this.client.pod(cloudName, call) : null;
      if (made !== null) return made;
      throw error;
    }
  }

  /** One that is there belongs to a try whose pod never arrived; reading it is more than we are allowed. */
  private async putSecret(secret: V1Secret, call: Call): Promise<void> {
    try {
      await this.client.createSecret(secret, call);
    } catch (error) {
      if (!isAlreadyThere(error)) throw error;
      await this.client.delete('secrets', secret.metadata?.name ?? '', call);
      await this.client.createSecret(secret, call);
    }
  }

  /** Says at once when the cluster has no room; a scheduler that takes its time is waited for by `get`. */
  private async verdict(created: Pod, call: Call): Promise<MachineState> {
    const { sleep, now } = this.options.environment;
    let pod = created;
    for (const waitMs of VERDICT_WAITS_MS) {
      const state = podState(pod);
      if (state.state === 'unschedulable') {
        await this.remove(pod.metadata.name, pod.metadata.labels[JUMP], call);
        throw new BackendError({ kind: 'no-capacity', blocks: 'offer' }, state.message);
      }
      if (state.state !== 'starting' || pod.spec.nodeName || now() + waitMs >= call.deadline) break;
      await sleep(waitMs, call.signal);
      pod = (await this.client.pod(pod.metadata.name, call)) ?? pod;
    }
    return this.stateOf(pod, call);
  }

  private async stateOf(pod: Pod, call: Call): Promise<MachineState> {
    const state = podState(pod);
    const ref = refOf(pod);
    switch (state.state) {
      case 'gone':
        return state;
      case 'starting':
        return { state: 'pending', ref, reason: state.reason };
      case 'unschedulable':
      case 'failed':
        return { state: 'failed', ref, message: state.message };
      case 'running':
        return this.reached(pod, state.ip, call);
    }
  }

  private async reached(pod: Pod, ip: string, call: Call): Promise<MachineState> {
    const ref = refOf(pod);
    const request = readJumpRequest(pod);
    // Its node may have been lost, or it was removed with what seemed to be the last pod.
    const name = request === null ? (pod.metadata.labels[JUMP] ?? '') : await this.jumps.ensure(request, call);
    const jump = await this.jumps.address(name, call);
    if (jump.state === 'waiting') return { state: 'pending', ref, reason: jump.reason };
    if (jump.state === 'impossible') return { state: 'failed', ref, message: jump.message };
    return {
      state: 'ready',
      ref,
      agent: {
        via: 'ssh',
        host: ip,
        port: CONTAINER_SSH_PORT,
        user: 'root',
        hostKey: pod.metadata.annotations[HOST_KEY] ?? null,
        socketPath: CONTAINER_AGENT_SOCKET,
        jump: { host: jump.host, port: jump.port, user: 'root' },
      },
      hostname: ip,
      internalIp: ip,
    };
  }

  private async remove(pod: string, jump: string | undefined, call: Call): Promise<void> {
    await this.client.deletePod(pod, call);
    await this.removeBeside(pod, call);
    if (jump !== undefined) await this.jumps.releaseAfter(pod, jump, call);
  }

  private async removeBeside(pod: string, call: Call): Promise<void> {
    await this.client.delete('secrets', agentSecretName(pod), call);
    await this.client.delete('secrets', registrySecretName(pod), call);
  }
}
