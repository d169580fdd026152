import { NO_CAPABILITIES } from '@dstack/backend-base';
import {
  AgentConnector,
  type AgentTarget,
  type ComputeAccount,
  ComputeAccounts,
  type ConnectedAgent,
  JobInputs,
  type RepoCredentials,
} from '@dstack/server/parts';
import type { ServerEpoch } from './server-epoch.js';
import type { SimulatedCloud } from './simulated-cloud.js';
import type { SimulatedHosts } from './simulated-hosts.js';

/** Every project has the one simulated cloud. */
export class SimulatedAccounts extends ComputeAccounts {
  private readonly account: ComputeAccount;

  constructor(
    cloud: SimulatedCloud,
    epoch: ServerEpoch,
    private readonly installation: string,
  ) {
    super();
    this.account = {
      type: 'aws',
      definition: {
        type: 'aws',
        capabilities: { ...NO_CAPABILITIES, kind: 'hosts', runtimes: ['container', 'process'] },
        idempotency: cloud.idempotency,
        maxNameLength: 60,
        provisioningTimeoutMs: () => 180_000,
      },
      compute: cloud.for(epoch),
    };
  }

  override async ofProject(): Promise<readonly ComputeAccount[]> {
    return [this.account];
  }

  override async open(): Promise<ComputeAccount> {
    return this.account;
  }

  override async owner(): Promise<string> {
    return this.installation;
  }
}

export class SimulatedConnector extends AgentConnector {
  constructor(
    private readonly cloud: SimulatedCloud,
    private readonly hosts: SimulatedHosts,
    private readonly epoch: ServerEpoch,
  ) {
    super();
  }

  override async connect({ address, epoch }: AgentTarget): Promise<ConnectedAgent> {
    if (address.via !== 'unix') throw new Error('no such host');
    const agent = this.cloud.agentAt(address.socketPath) ?? this.hosts.agentAt(address.socketPath);
    if (agent === null) throw new Error('no such host');
    return agent.connect(epoch, this.epoch);
  }
}

export class NoInputs extends JobInputs {
  override async secrets(): Promise<ReadonlyMap<string, string>> {
    return new Map();
  }

  override async repoCredentials(): Promise<RepoCredentials | null> {
    return null;
  }
}
