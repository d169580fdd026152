import { chmod, lchown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSpec } from '@dstack/agent-protocol';
import { makeOwnedDir } from '../files/make-owned-dir.js';
import { ensureFinalNewline } from './git-credentials.js';
import type { FilePlace } from './job-files.js';

/** Nodes start at about the same time: whoever comes before another one listens tries again, once a second. */
const CONNECTION_ATTEMPTS = 30;

/** So that `ssh <ip of a node>` and `mpirun` work between the jobs of one replica. */
export function clusterSshConfig(nodesIps: readonly string[], keyFile: string, port: number): string {
  return nodesIps
    .filter((ip) => ip !== '')
    .map(
      (ip) =>
        `\nHost ${ip}\n  Port ${port}\n  IdentityFile ${keyFile}\n  ConnectionAttempts ${CONNECTION_ATTEMPTS}\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n`,
    )
    .join('');
}

export async function setUpClusterSsh(cluster: ClusterSpec, port: number, place: FilePlace): Promise<void> {
  if (cluster.nodesNum < 2 || cluster.sshKey === undefined || place.home === '/') return;
  const dir = join(place.home, '.ssh');
  await makeOwnedDir(dir, place.owner, 0o700);
  const keyFile = join(dir, 'dstack_job');
  const configFile = join(dir, 'config');
  const existing = await readFile(configFile, 'utf8').catch(() => '');
  await writeFile(keyFile, ensureFinalNewline(cluster.sshKey.privateKey), { mode: 0o600 });
  await writeFile(configFile, existing + clusterSshConfig(cluster.nodesIps, keyFile, port), { mode: 0o600 });
  for (const path of [keyFile, configFile]) {
    await chmod(path, 0o600);
    if (place.owner !== undefined) await lchown(path, place.owner.uid, place.owner.gid);
  }
}
