import { Controller, Get, Header, Inject } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { Access } from '../http/access.decorator.js';
import { API_VERSION } from '../http/client-version.js';
import { Operation } from '../http/operation.decorator.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { escapeHtml, page } from './page.js';
import { READINESS, type Readiness } from './readiness.js';

@Controller()
export class ServerInfoController {
  constructor(
    @Inject(READINESS) private readonly readiness: Readiness,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'url'>,
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
    return { status: 'ready', warnings: this.readiness.warnings };
  }

  /** For whoever opens the address with a browser: there is no UI yet. */
  @Operation('root')
  @Header('content-type', 'text/html; charset=utf-8')
  root(): string {
    return page('dstack server', [
      `This is a server of dstack, version ${API_VERSION} of its API. It runs and is used from the command line:`,
      `<code>dstack project add --name main --url ${escapeHtml(this.settings.url)} --token TOKEN</code>`,
      '<a href="/api/docs">What its API can do</a>, and as <a href="/openapi.json">OpenAPI</a>.',
    ]);
  }
}
