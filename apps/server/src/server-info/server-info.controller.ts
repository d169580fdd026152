import { Controller, Get, Inject, Redirect } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { StoredCatalogs } from '../catalogs/stored-catalogs.js';
import { Access } from '../http/access.decorator.js';
import { API_VERSION } from '../http/client-version.js';
import { Operation } from '../http/operation.decorator.js';
import { READINESS, type Readiness } from './readiness.js';

@Controller()
export class ServerInfoController {
  constructor(
    @Inject(READINESS) private readonly readiness: Readiness,
    @Inject(StoredCatalogs) private readonly catalogs: StoredCatalogs,
  ) {}

  @Operation('server_get_info')
  getInfo(): Wire.ServerInfo {
    return { server_version: API_VERSION };
  }

  @Operation('healthcheck')
  healthcheck(): { status: 'running' } {
    return { status: 'running' };
  }

  @Get('readyz')
  @Access('none')
  ready(): { status: 'ready'; warnings: readonly string[] } {
    return { status: 'ready', warnings: [...this.readiness.warnings, ...this.catalogs.warnings()] };
  }

  @Get()
  @Access('none')
  @Redirect('/api/docs', 307)
  root(): void {
    return undefined;
  }
}
