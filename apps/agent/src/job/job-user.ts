/** Who a job's commands run as. */
export interface JobIdentity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly name: string;
  /** `/` when the user has none worth the name. */
  readonly home: string;
  readonly shell: string;
}

export interface UserDatabase {
  /** Text of `/etc/passwd`. */
  readonly passwd: string;
  /** Text of `/etc/group`. */
  readonly group: string;
}

export class UserNotFoundError extends Error {
  override readonly name = 'UserNotFoundError';
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/**
 * Resolves `uid|name[:gid|group]`. An unknown number is taken as it is (group 0), an unknown name is an error. A group given means
 * exactly that one; otherwise the primary and the supplementary groups count.
 */
export function resolveUser(spec: string, database: UserDatabase): JobIdentity {
  const [userPart = '', groupPart] = spec.split(':', 2);
  const users = parsePasswd(database.passwd);
  const numeric = /^\d+$/.test(userPart);
  const entry = users.find((user) => (numeric ? user.uid === Number(userPart) : user.name === userPart));
  if (entry === undefined && !numeric) {
    throw new UserNotFoundError(
      `user "${userPart}" is not in the image's /etc/passwd: give a numeric id, or a user the image has`,
    );
  }
  const uid = entry?.uid ?? Number(userPart);
  const explicitGid = groupPart === undefined ? undefined : resolveGroup(groupPart, database.group);
  const gid = explicitGid ?? entry?.gid ?? 0;
  const groups =
    explicitGid !== undefined || entry === undefined ? [gid] : [gid, ...memberships(entry.name, gid, database.group)];
  return {
    uid,
    gid,
    groups,
    name: entry?.name ?? userPart,
    home: usableHome(entry?.home),
    shell: entry?.shell === undefined || entry.shell === '' ? '/bin/sh' : entry.shell,
  };
}

export function usableHome(home: string | undefined): string {
  return home === undefined || !home.startsWith('/') || home.includes('nonexistent') ? '/' : home;
}

function parsePasswd(text: string): PasswdEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid, , home, shell] = line.split(':');
    if (name === undefined || name === '' || uid === undefined || gid === undefined) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home: home ?? '', shell: shell ?? '' }];
  });
}

function resolveGroup(part: string, text: string): number {
  if (/^\d+$/.test(part)) return Number(part);
  for (const line of text.split('\n')) {
    const [name, , gid] = line.split(':');
    if (name === part && gid !== undefined) return Number(gid);
  }
  throw new UserNotFoundError(
    `group "${part}" is not in the image's /etc/group: give a numeric id, or a group the image has`,
  );
}

function memberships(user: string, primary: number, text: string): number[] {
  return text.split('\n').flatMap((line) => {
    const [, , gid, members] = line.split(':');
    return gid !== undefined && Number(gid) !== primary && (members ?? '').split(',').includes(user)
      ? [Number(gid)]
      : [];
  });
}
