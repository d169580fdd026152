import { join } from 'node:path';
import { changeFile } from '../files/change-file.js';
import type { SshHostEntry } from './host-entries.js';
import { withHosts, withoutHolders } from './ssh-config-blocks.js';

export function sshConfigPath(home: string): string {
  return join(home, '.dstack', 'ssh', 'config');
}

/** Puts entries into our SSH configuration for this process, and lets the user's configuration include it. */
export async function addHosts(home: string, entries: readonly SshHostEntry[], identityFile: string): Promise<void> {
  await changeFile(sshConfigPath(home), (text) => {
    const swept = withoutHolders(text, (pid) => pid !== process.pid && !isAlive(pid));
    return withHosts(swept, entries, identityFile, process.pid);
  });
  const include = `Include "${sshConfigPath(home)}"`;
  await changeFile(join(home, '.ssh', 'config'), (text) =>
    text.split('\n').some((line) => line.trim() === include || line.trim() === include.replaceAll('"', ''))
      ? text
      : `${include}\n${text}`,
  );
}

/** Takes this process's hosts out again, and those of commands that died without doing so. */
export async function releaseHosts(home: string): Promise<void> {
  await changeFile(sshConfigPath(home), (text) => withoutHolders(text, (pid) => pid === process.pid || !isAlive(pid)));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
