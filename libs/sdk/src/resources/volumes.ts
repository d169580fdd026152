import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import type { ProjectCalls } from './project-call.js';

export class Volumes {
  constructor(private readonly project: ProjectCalls) {}

  list(options?: CallOptions): Promise<Wire.Volume[]> {
    return this.project.read('volumes/list', undefined, options);
  }

  get(name: string, options?: CallOptions): Promise<Wire.Volume> {
    return this.project.read('volumes/get', { name } satisfies Wire.GetVolumeRequest, options);
  }

  create(configuration: Wire.CreateVolumeRequest['configuration'], options?: CallOptions): Promise<Wire.Volume> {
    return this.project.write('volumes/create', { configuration }, options);
  }

  async delete(names: readonly string[], options?: CallOptions): Promise<void> {
    await this.project.write('volumes/delete', { names: [...names] }, options);
  }
}
