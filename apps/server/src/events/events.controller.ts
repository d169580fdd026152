import { Body, Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { Operation } from '../http/operation.decorator.js';
import { CurrentCaller } from '../http/request-context.js';
import { EventsService } from './events.service.js';

@Controller()
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Operation('events_list')
  list(@CurrentCaller() caller: Caller, @Body() request: Wire.ListEventsRequest): Promise<Wire.Event[]> {
    return this.events.list(caller, request);
  }
}
