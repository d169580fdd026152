import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What `ssh -G` says about a host: its options by lower-case name. Empty without an ssh client. */
export async function sshOptions(host: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const options = new Map<string, string[]>();
  const reply = await run(process.env['DSTACK_SSH_CLIENT'] ?? 'ssh', ['-G', '--', host]).catch(() => undefined);
  for (const line of reply?.stdout.split('\n') ?? []) {
    const space = line.indexOf(' ');
    if (space < 0) continue;
    const name = line.slice(0, space).toLowerCase();
    options.set(name, [...(options.get(name) ?? []), line.slice(space + 1)]);
  }
  return options;
}

export async function sshHost(alias: string): Promise<string | undefined> {
  return (await sshOptions(alias)).get('hostname')?.[0];
}
