import type { Wire } from '@dstack/core';
import type { CallOptions, Transport } from '../http/transport.js';

export class Server {
  constructor(private readonly transport: Transport) {}

  info(options: CallOptions = {}): Promise<Wire.ServerInfo> {
    return this.transport.json({ path: '/api/server/get_info', repeatable: 'read', ...options });
  }
}
