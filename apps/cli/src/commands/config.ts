import { ProjectCommand } from '../base/project-command.js';
import { jsonFlag } from '../base/json-flags.js';
import { clientConfigPath } from '../client-config/client-config-file.js';
import { renderProperties } from '../render/properties.js';

export default class Config extends ProjectCommand {
  static override summary = 'Show which server and project commands talk to';
  static override enableJsonFlag = true;
  static override flags = { ...jsonFlag };

  async run(): Promise<{ file: string; project: string; url: string; source: string }> {
    const { flags } = await this.parse(Config);
    const { env, home, style } = this.context;
    const { project, url } = await this.connection(flags);
    const fromEnv = (env['DSTACK_SERVER_URL'] ?? '') !== '' && (env['DSTACK_TOKEN'] ?? '') !== '';
    const file = clientConfigPath(home);
    const source = fromEnv ? 'DSTACK_SERVER_URL and DSTACK_TOKEN' : file;
    this.print(
      renderProperties(
        [
          ['Project', project],
          ['Server', url],
          ['From', source],
        ],
        style,
      ),
    );
    return { file, project, url, source };
  }
}
