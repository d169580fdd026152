import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import type { ProjectCalls } from './project-call.js';

export class Gpus {
  constructor(private readonly project: ProjectCalls) {}

  async list(request: Wire.ListGpusRequest, options?: CallOptions): Promise<Wire.GpuGroup[]> {
    return (await this.find(request, options)).gpus;
  }

  /** With what our server tells beside them: which backends are missing, and why. */
  find(request: Wire.ListGpusRequest, options?: CallOptions): Promise<Wire.ListGpusResponse> {
    return this.project.read('gpus/list', request, options);
  }
}
