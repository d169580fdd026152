import { jsonFlag } from '../../base/json-flags.js';
import { ProjectCommand } from '../../base/project-command.js';

export default class ProjectToken extends ProjectCommand {
  static override summary = 'Print the token in use, for requests that other programs make';
  static override enableJsonFlag = true;
  static override examples = ['curl -H "Authorization: Bearer $(dstack project token)" $URL'];
  static override flags = { ...jsonFlag };

  async run(): Promise<{ project: string; token: string }> {
    const { flags } = await this.parse(ProjectToken);
    const { project, token } = await this.connection(flags);
    this.print(token);
    return { project, token };
  }
}
