import { Body, Controller } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { Operation } from '../http/operation.decorator.js';
import { SshUpstreamService } from './ssh-upstream.service.js';

@Controller()
export class SshProxyController {
  constructor(private readonly upstreams: SshUpstreamService) {}

  @Operation('sshproxy_get_upstream')
  getUpstream(@Body() { id }: Wire.GetUpstreamRequest): Promise<Wire.GetUpstreamResponse> {
    return this.upstreams.get(id);
  }
}
