import { AgentConnector, type AgentTarget, type ConnectedAgent } from '@dstack/server/parts';
import type { ServerEpoch } from '../servers/server-epoch.js';
import type { SimulatedAgent } from './simulated-agent.js';

export class SimulatedConnector extends AgentConnector {
  constructor(
    private readonly agentAt: (socketPath: string) => SimulatedAgent | null,
    private readonly server: ServerEpoch,
  ) {
    super();
  }

  override async connect({ address, epoch }: AgentTarget): Promise<ConnectedAgent> {
    const agent = this.agentAt(address.socketPath);
    if (agent === null) throw new Error('no such host');
    return agent.connect(epoch, this.server);
  }
}
