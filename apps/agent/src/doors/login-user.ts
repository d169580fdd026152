import { runCommand } from '../process/run-command.js';

export interface LoginUser {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' };

/** As the host knows users: from its files or from a directory service. @throws when it does not */
export async function findLoginUser(name: string): Promise<LoginUser> {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?$/.test(name)) throw new Error(`"${name}" is no name of a user`);
  const entry = await runCommand('getent', ['passwd', name], { cwd: '/', env: ENVIRONMENT }).catch(() => '');
  const [, , uid, gid, , home] = entry.split('\n')[0]?.split(':') ?? [];
  if (home?.startsWith('/') !== true) throw new Error(`the host has no user ${name} with a home directory`);
  return { uid: Number(uid), gid: Number(gid), home };
}
