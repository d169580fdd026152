import { NO_CAPABILITIES } from '@dstack/backend-base';
import {
  AgentConnector,
  type AgentTarget,
  type ComputeAccount,
  ComputeAccounts,
  type ConnectedAgent,
  Hosts,
  JobInputs,
  type ReadyHost,
  type RepoCredentials,
} from '@dstack/server/parts';
import type { ServerEpoch } from './server-epoch.js';
import type { SimulatedCloud } from './simulated-cloud.js';

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
    private readonly epoch: ServerEpoch,
  ) {
    super();
  }

  override async connect({ address, epoch }: AgentTarget): Promise<ConnectedAgent> {
    const agent = address.via === 'unix' ? this.cloud.agentAt(address.socketPath) : null;
    if (agent === null) throw new Error('no such host');
    return agent.connect(epoch, this.epoch);
  }
}

/** Hosts that somebody gives us are not simulated yet. */
export class NoHosts extends Hosts {
  override onboard(): Promise<ReadyHost> {
    return Promise.reject(new Error('no such host'));
  }

  override replaceAgent(): Promise<string> {
    return Promise.reject(new Error('no such host'));
  }

  override async offboard(): Promise<void> {
    return undefined;
  }

  override agentDigest(): string | null {
    return null;
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
