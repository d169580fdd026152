import { Controller, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AccessError } from '../../http/api-errors.js';
import { Operation } from '../../http/operation.decorator.js';
import { SETTINGS, type ServerSettings } from '../../settings/settings.js';
import { PrometheusService } from './prometheus.service.js';

@Controller()
export class PrometheusController {
  constructor(
    private readonly prometheus: PrometheusService,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'prometheusMetrics'>,
  ) {}

  @Operation('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    if (!this.settings.prometheusMetrics) throw new AccessError(404, 'Not found');
    const text = await this.prometheus.text();
    void reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    return text;
  }
}
