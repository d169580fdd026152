export interface NamelessUser {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface NamedUser {
  readonly name: string;
  /** Text of the passwd and the group file in which the user has that name. */
  readonly passwd: string;
  readonly group: string;
}

/** The host's files with one more line each. Programs that ask who they are (OpenSSH's client, mpirun, whoami) need one. */
export function nameUser(passwd: string, group: string, { uid, gid, home }: NamelessUser): NamedUser {
  const taken = new Set([...passwd.split('\n'), ...group.split('\n')].map((line) => line.split(':', 1)[0]));
  const name = ['dstack', 'dstack-job'].find((candidate) => !taken.has(candidate)) ?? `dstack-${uid}`;
  return {
    name,
    passwd: withLine(passwd, `${name}:x:${uid}:${gid}:dstack job:${home}:/bin/sh`),
    group: withLine(group, `${name}:x:${gid}:`),
  };
}

/** Before the lines by which old systems include a directory service: what follows them is not read. */
function withLine(text: string, line: string): string {
  const lines = text.split('\n').filter((each) => each !== '');
  const at = lines.findIndex((each) => each.startsWith('+'));
  lines.splice(at < 0 ? lines.length : at, 0, line);
  return `${lines.join('\n')}\n`;
}
