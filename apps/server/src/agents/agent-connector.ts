import { createAgentClient, type HttpAgentClient, type AgentApi } from '@dstack/agent-protocol';
import type { AgentAddress } from '@dstack/backend-base';
import type { MachineKind } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { INSTALLATION, type Installation } from '../bootstrap/installation.js';
import { HostDialer } from '../hosts/host-dialer.js';

export interface ConnectedAgent {
  readonly api: AgentApi;
  close(): void;
}

export interface AgentTarget {
  readonly instanceId: string;
  readonly address: AgentAddress;
  readonly kind: MachineKind;
  readonly epoch: number;
}

/** Opens the way to an agent. Its own class, so that a simulated world can bring its own agents. */
export abstract class AgentConnector {
  /** Rejects when the way is closed; an agent that does not answer shows in the first request. */
  abstract connect(target: AgentTarget, signal: AbortSignal): Promise<ConnectedAgent>;
}

@Injectable()
export class SocketAgentConnector extends AgentConnector {
  constructor(
    @Inject(HostDialer) private readonly dialer: HostDialer,
    @Inject(INSTALLATION) private readonly installation: Installation,
  ) {
    super();
  }

  async connect({ instanceId, address, kind, epoch }: AgentTarget, signal: AbortSignal): Promise<ConnectedAgent> {
    if (address.via === 'unix') return closing(createAgentClient({ connect: address.socketPath, epoch }));
    const { connection, access } = await this.dialer.dial(instanceId, signal, address.hostKey);
    try {
      // A host that was restarted does not start the agent everywhere; what answers in a container is the agent.
      if (kind === 'hosts') {
        const { ensureAgent } = await import('@dstack/backend-ssh/hosts');
        const { hostname } = access.host;
        await ensureAgent({ connection, hostname, owner: this.installation.id, instance: instanceId, signal });
      }
      const client = createAgentClient({ connect: () => connection.openUnix(address.socketPath), epoch });
      return closing(client, () => connection.close());
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}

function closing(client: HttpAgentClient, more: () => void = () => undefined): ConnectedAgent {
  return {
    api: client,
    close: () => {
      client.close();
      more();
    },
  };
}
