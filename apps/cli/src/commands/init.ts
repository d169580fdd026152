import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../base/project-command.js';
import { openRepo } from '../repo/open-repo.js';
import { findCredentials } from '../repo/repo-credentials.js';
import { withProgress } from '../terminal/progress.js';

export default class Init extends ProjectCommand {
  static override summary = 'Store credentials of a repository on the server';
  static override flags = {
    repo: Flags.string({
      char: 'P',
      summary: 'The repository: a path or a URL; default the current directory',
      helpValue: 'REPO',
      default: '.',
    }),
    token: Flags.string({ char: 't', summary: 'Access token of the repository', helpValue: 'TOKEN' }),
    'git-identity': Flags.string({ summary: 'Private key of the repository', helpValue: 'FILE' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Init);
    const client = await this.connect(flags);
    const repo = await openRepo({ source: flags.repo, directory: this.context.cwd });
    const credentials = await withProgress(this.context, 'Checking credentials...', () =>
      findCredentials(repo.url, { token: flags.token, gitIdentity: flags['git-identity'] }, undefined),
    );
    await client.repos.init({ repo_id: repo.id, repo_info: repo.info, repo_creds: credentials });
    this.print('OK');
  }
}
