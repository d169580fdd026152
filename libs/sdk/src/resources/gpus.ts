import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import type { ProjectCalls } from './project-call.js';

export class Gpus {
  constructor(private readonly project: ProjectCalls) {}

  async list(request: Wire.ListGpusRequest, options?: CallOptions): Promise<Wire.GpuGroup[]> {
    return (await this.project.read<Wire.ListGpusResponse>('gpus/list', request, options)).gpus;
  }
}
