import type { Wire } from '@dstack/core';
import type { CallOptions, Transport } from '../http/transport.js';

export class Events {
  constructor(private readonly transport: Transport) {}

  list(request: Wire.ListEventsRequest = {}, options: CallOptions = {}): Promise<Wire.Event[]> {
    return this.transport.json({ path: '/api/events/list', body: request, repeatable: 'read', ...options });
  }
}
