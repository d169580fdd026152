import type { AgentApi } from '@dstack/agent-protocol';
import { Injectable } from '@nestjs/common';

/** The agents this server is connected to right now. */
@Injectable()
export class AgentRegistry {
  private readonly connected = new Map<string, AgentApi>();

  get(instanceId: string): AgentApi | null {
    return this.connected.get(instanceId) ?? null;
  }

  set(instanceId: string, agent: AgentApi): void {
    this.connected.set(instanceId, agent);
  }

  delete(instanceId: string, agent: AgentApi): void {
    if (this.connected.get(instanceId) === agent) this.connected.delete(instanceId);
  }
}
