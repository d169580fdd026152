import { type BackendEnvironment, type Call, Kept } from '@dstack/backend-base';
import type { KubernetesClient } from './client.js';
import type { ProxyJump } from './definition.js';
import { requestedByNode, type Quantities } from './requested-resources.js';
import type { KubeNode } from './schema.js';

const KEPT_MS = 180_000;

export interface ClusterOptions {
  readonly region: string;
  readonly client: KubernetesClient;
  readonly proxyJump: ProxyJump;
  readonly environment: Pick<BackendEnvironment, 'now' | 'log'>;
}

/** One context: its client, and what is known of its nodes. */
export class Cluster {
  readonly region: string;
  readonly client: KubernetesClient;
  readonly proxyJump: ProxyJump;
  private readonly keptNodes: Kept<KubeNode[]>;
  private readonly keptRequests: Kept<ReadonlyMap<string, Quantities>>;

  constructor({ region, client, proxyJump, environment }: ClusterOptions) {
    this.region = region;
    this.client = client;
    this.proxyJump = proxyJump;
    this.keptNodes = new Kept(KEPT_MS, environment.now);
    this.keptRequests = new Kept(KEPT_MS, environment.now);
  }

  /** As people see it: the original's only region has no name. */
  get title(): string {
    return this.region === '' ? 'the cluster' : `cluster ${this.region}`;
  }

  nodes(call: Call): Promise<KubeNode[]> {
    return this.keptNodes.get('nodes', call, () => this.client.nodes(call));
  }

  async requested(call: Call): Promise<ReadonlyMap<string, Quantities>> {
    return this.keptRequests.get('pods', call, async () => requestedByNode(await this.client.unfinishedPods(call)));
  }

  /** What was free is not what is free now. */
  forgetRequests(): void {
    this.keptRequests.forget('pods');
  }
}
