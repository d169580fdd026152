import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';

export interface GitServer {
  /** Of a bare repository in the server's folder. */
  url(name: string): string;
  /** Private key that may log in. */
  readonly identity: string;
  stop(): void;
}

const SSHD = '/usr/sbin/sshd';

export const canServeOverSsh = (): boolean => existsSync(SSHD);

/** An sshd on loopback that serves git repositories below `dir`; undefined where none is installed. */
export function startGitServer(dir: string, port: number): GitServer | undefined {
  if (!canServeOverSsh()) return undefined;
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  for (const name of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, name)]);
  const settings = {
    Port: port,
    ListenAddress: '127.0.0.1',
    HostKey: join(dir, 'host'),
    AuthorizedKeysFile: join(dir, 'user.pub'),
    StrictModes: 'no',
    UsePAM: 'no',
    PermitRootLogin: 'yes',
    PidFile: 'none',
  };
  writeFileSync(
    join(dir, 'sshd.conf'),
    Object.entries(settings)
      .map(([key, value]) => `${key} ${value}\n`)
      .join(''),
  );
  mkdirSync(join(dir, 'home'));
  const child = startProgram(join(dir, 'sshd.conf'), join(dir, 'home'));
  return {
    url: (name) => `ssh://${userInfo().username}@127.0.0.1:${port}${join(dir, name)}`,
    identity: join(dir, 'user'),
    stop: () => child.kill('SIGTERM'),
  };
}

/**
 * As root with an empty home of its own: bash reads the user's ~/.bashrc for every command that comes over SSH, and what stands
 * there is no part of these tests.
 */
function startProgram(config: string, home: string): ChildProcess {
  if (process.getuid?.() !== 0) return spawn(SSHD, ['-D', '-e', '-f', config], { stdio: 'ignore' });
  const script = 'mount --bind "$1" "$2" && exec "$3" -D -e -f "$4"';
  return spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', home, userInfo().homedir, SSHD, config], {
    stdio: 'ignore',
  });
}
