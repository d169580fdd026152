import { type Call, KeyedLock } from '@dstack/backend-base';
import type { Cluster } from './cluster.js';
import { isAlreadyThere } from './errors.js';
import { makeHostKey } from './host-key.js';
import { agentSecret } from './job-pod.js';
import { jumpAddress, type JumpAddress } from './jump-address.js';
import { jumpPod, jumpService } from './jump-pod.js';
import type { JumpRequest } from './jump-request.js';
import { baseLabels, COMPONENT, JOB, JUMP, JUMP_POD, jumpName } from './names.js';
import { judgeNode } from './offers.js';
import type { KubeNode } from './schema.js';

/** The ways into one cluster: made with the first pod that needs one, removed with the last. */
export class Jumps {
  private readonly lock = new KeyedLock();

  constructor(
    private readonly cluster: Cluster,
    private readonly agentImage: string | null,
  ) {}

  /** Makes whatever is missing of it, and gives its name. Two servers may do so at once. */
  ensure(request: JumpRequest, call: Call): Promise<string> {
    const name = jumpName(request);
    return this.lock.run(name, async () => {
      const { client } = this.cluster;
      const [pod, service] = await Promise.all([client.pod(name, call), client.service(name, call)]);
      const hasEnded = pod?.status.phase === 'Failed' || pod?.status.phase === 'Succeeded';
      if (hasEnded) await client.deletePod(name, call);
      if (pod === null || hasEnded) await this.makePod(name, request, call);
      const labels = baseLabels(JUMP_POD, name, request.owner);
      if (service === null)
        await client.createService(jumpService(name, labels, this.cluster.proxyJump), call).catch(unlessThere);
      return name;
    });
  }

  async address(name: string, call: Call): Promise<JumpAddress> {
    const { client, proxyJump } = this.cluster;
    const [pod, service] = await Promise.all([client.pod(name, call), client.service(name, call)]);
    if (pod === null || service === null) return { state: 'waiting', reason: `there is no jump pod ${name} (yet)` };
    const nodes = proxyJump.hostname ? [] : await this.cluster.nodes(call);
    return jumpAddress(pod, service, proxyJump, nodes);
  }

  /** Without the pod that is going, nobody may need it any more. */
  async releaseAfter(pod: string, name: string, call: Call): Promise<void> {
    const { client } = this.cluster;
    await this.lock.run(name, async () => {
      const others = await client.podsWith({ [COMPONENT]: JOB, [JUMP]: name }, call);
      if (others.some(({ metadata }) => metadata.name !== pod && !metadata.deletionTimestamp)) return;
      await client.deletePod(name, call);
      await client.delete('services', name, call);
      await client.delete('secrets', name, call);
    });
  }

  private async makePod(name: string, request: JumpRequest, call: Call): Promise<void> {
    const { client } = this.cluster;
    const labels = baseLabels(JUMP_POD, name, request.owner);
    const amongGpus = areAllAmongGpus(await this.cluster.nodes(call));
    await client.createSecret(agentSecret(name, labels, makeHostKey()), call).catch(unlessThere);
    const pod = jumpPod({ name, labels, request, agentImage: this.agentImage, amongGpus });
    await client.createPod(pod, call).catch(unlessThere);
  }
}

/** No node takes what does not say that it bears GPUs' taints. */
export function areAllAmongGpus(nodes: readonly KubeNode[]): boolean {
  return !nodes.some((node) => judgeNode(node).ok && (node.spec.taints ?? []).every(isSoft));
}

function isSoft({ effect }: { readonly effect: string }): boolean {
  return effect === 'PreferNoSchedule';
}

function unlessThere(error: unknown): void {
  if (!isAlreadyThere(error)) throw error;
}
