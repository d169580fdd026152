import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { ProgramBundles } from '../hosts/program-bundles.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';

/** The gateways this server can put on machines, by architecture. */
@Injectable()
export class GatewayBundles extends ProgramBundles {
  constructor(
    @Inject(SETTINGS) { gatewayDirectory, serverDir }: Pick<ServerSettings, 'gatewayDirectory' | 'serverDir'>,
  ) {
    super({ name: 'gateway', directory: gatewayDirectory, cacheDir: join(serverDir, 'gateways') });
  }
}
