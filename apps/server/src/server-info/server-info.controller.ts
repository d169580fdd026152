import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { FastifyReply } from 'fastify';
import { StoredCatalogs } from '../catalogs/stored-catalogs.js';
import { Access } from '../http/access.decorator.js';
import { API_VERSION } from '../http/client-version.js';
import { Operation } from '../http/operation.decorator.js';
import { DiskReserve } from '../logs/disk-reserve.js';
import { Database } from '../persistence/database.js';
import { WORLD, type World } from '../world/world.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { escapeHtml, page } from './page.js';
import { READINESS, type Readiness } from './readiness.js';

const ANSWERS_WITHIN_MS = 3_000;

interface Ready {
  readonly status: 'ready' | 'unavailable';
  readonly warnings: readonly string[];
}

@Controller()
export class ServerInfoController {
  constructor(
    @Inject(READINESS) private readonly readiness: Readiness,
    @Inject(StoredCatalogs) private readonly catalogs: StoredCatalogs,
    private readonly db: Database,
    @Inject(WORLD) private readonly world: World,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'url' | 'serverDir'>,
  ) {}

  @Operation('server_get_info')
  getInfo(): Wire.ServerInfo {
    return { server_version: API_VERSION };
  }

  @Operation('healthcheck')
  healthcheck(): { status: 'running' } {
    return { status: 'running' };
  }

  /** Whether requests should come here: the process lives, and its database answers. */
  @Get('readyz')
  @Access('none')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Ready> {
    const shortage = await new DiskReserve(this.settings.serverDir).shortage().catch(() => null);
    const full = shortage === null ? [] : [`Logs are not taken: ${shortage.message}`];
    const warnings = [...this.readiness.warnings, ...this.catalogs.warnings(), ...full];
    if (await this.databaseAnswers()) return { status: 'ready', warnings };
    void reply.status(503);
    return { status: 'unavailable', warnings: [...warnings, 'The database does not answer.'] };
  }

  private async databaseAnswers(): Promise<boolean> {
    const deadline = new AbortController();
    const answer = this.db
      .read((tx) => tx.query('SELECT 1'))
      .then(
        () => true,
        () => false,
      );
    const late = this.world.scheduler.sleep(ANSWERS_WITHIN_MS, deadline.signal).then(
      () => false,
      () => false, // it was not needed
    );
    try {
      return await Promise.race([answer, late]);
    } finally {
      deadline.abort();
    }
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
