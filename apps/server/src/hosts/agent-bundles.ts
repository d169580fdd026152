import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { ProgramBundles } from './program-bundles.js';

/** The agents this server can put on hosts, by architecture. */
@Injectable()
export class AgentBundles extends ProgramBundles {
  constructor(@Inject(SETTINGS) { agentDirectory, serverDir }: Pick<ServerSettings, 'agentDirectory' | 'serverDir'>) {
    super({ name: 'agent', directory: agentDirectory, cacheDir: join(serverDir, 'agents') });
  }
}
