import { createAgentClient, type AgentApi } from '@dstack/agent-protocol';
import type { AgentAddress } from '@dstack/backend-base';
import { Injectable } from '@nestjs/common';

export interface ConnectedAgent {
  readonly api: AgentApi;
  close(): void;
}

/** Opens the way to an agent. Its own class, so that a simulated world can bring its own agents. */
@Injectable()
export class AgentConnector {
  connect(address: AgentAddress, epoch: number): ConnectedAgent {
    if (address.via !== 'unix') throw new Error(`agents behind ${address.via} are not supported by this server yet`);
    const client = createAgentClient({ connect: address.socketPath, epoch });
    return { api: client, close: () => client.close() };
  }
}
