import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import type { ProjectCalls } from './project-call.js';

/** Fleets and gateways shared with other projects. */
export class Exports {
  constructor(private readonly project: ProjectCalls) {}

  list(options?: CallOptions): Promise<Wire.Export[]> {
    return this.project.read('exports/list', undefined, options);
  }

  create(request: Wire.CreateExportRequest, options?: CallOptions): Promise<Wire.Export> {
    return this.project.write('exports/create', request, options);
  }

  update(request: Wire.UpdateExportRequest, options?: CallOptions): Promise<Wire.Export> {
    return this.project.write('exports/update', request, options);
  }

  async delete(name: string, options?: CallOptions): Promise<void> {
    await this.project.write('exports/delete', { name } satisfies Wire.DeleteExportRequest, options);
  }
}

/** What other projects share with this one. */
export class Imports {
  constructor(private readonly project: ProjectCalls) {}

  list(options?: CallOptions): Promise<Wire.Import[]> {
    return this.project.read('imports/list', undefined, options);
  }

  async delete(request: Wire.DeleteImportRequest, options?: CallOptions): Promise<void> {
    await this.project.write('imports/delete', request, options);
  }
}
