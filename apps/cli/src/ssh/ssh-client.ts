import { execFile } from 'node:child_process';
import { CliError } from '../errors/cli-error.js';

/** @throws {CliError} when there is no ssh client: only attaching needs one */
export async function requireSshClient(env: NodeJS.ProcessEnv): Promise<string> {
  const client = env['DSTACK_SSH_CLIENT'] ?? 'ssh';
  const works = await new Promise<boolean>((resolve) => {
    execFile(client, ['-V'], (error) => resolve(error === null));
  });
  if (works) return client;
  throw new CliError('Forwarding ports needs an OpenSSH client, and there is none.', {
    hint: 'Install one (for example: apt-get install openssh-client), or set DSTACK_SSH_CLIENT to its path. Without it: dstack apply -d, dstack logs -f.',
  });
}
