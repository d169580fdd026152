import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { runCommand } from '../process/run-command.js';
import { nameUser, type NamelessUser } from './name-user.js';

const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' };
/** What is mounted on the host later is seen; what is mounted here is not seen on the host. */
const UNSHARE = ['unshare', '--mount', '--propagation', 'slave'] as const;
const MOUNT_AND_RUN = 'mount --bind "$1" /etc/passwd; mount --bind "$2" /etc/group; shift 2; exec "$@"';

export interface PrivateUsers {
  readonly name: string;
  /** Put before a command's argv; the process keeps its number. */
  readonly command: readonly string[];
}

let available: Promise<string | undefined> | undefined;

/** Why this agent cannot give jobs users files of their own; undefined when it can. */
export function whyNoPrivateUsers(): Promise<string | undefined> {
  available ??= runCommand(UNSHARE[0], [...UNSHARE.slice(1), 'sh', '-ec', 'mount --bind /etc/passwd /etc/passwd'], {
    cwd: '/',
    env: ENVIRONMENT,
  }).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return available;
}

/** A passwd and a group file in which the user of a job has a name, seen by the job's processes alone. */
export async function makePrivateUsers(dir: string, user: NamelessUser): Promise<PrivateUsers> {
  const [passwd, group] = await Promise.all(['/etc/passwd', '/etc/group'].map((path) => readFile(path, 'utf8')));
  const named = nameUser(passwd ?? '', group ?? '', user);
  const paths = { passwd: join(dir, 'passwd'), group: join(dir, 'group') };
  await writeFileAtomically(paths.passwd, named.passwd, 0o644);
  await writeFileAtomically(paths.group, named.group, 0o644);
  return {
    name: named.name,
    command: [...UNSHARE, 'sh', '-ec', MOUNT_AND_RUN, 'dstack', paths.passwd, paths.group],
  };
}
