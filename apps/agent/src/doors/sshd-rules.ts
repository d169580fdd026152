/** What an sshd that lets only some people in, or looks for keys elsewhere, does to ways through the host: one sentence with what to do, for each. */
export function sshdProblems(user: string, effective: string): string[] {
  const values = new Map<string, string[]>();
  for (const line of effective.split('\n')) {
    const [name = '', ...rest] = line.trim().split(/\s+/);
    values.set(name.toLowerCase(), [...(values.get(name.toLowerCase()) ?? []), ...rest]);
  }
  const list = (name: string): string[] => values.get(name) ?? [];
  const problems: string[] = [];
  const add = (text: string): void => void problems.push(`${text} in the sshd_config of the host, then reload sshd`);
  const isNamed = (patterns: readonly string[]): boolean => patterns.some((pattern) => matches(user, pattern));
  if (isNamed(list('denyusers')) || (list('allowusers').length > 0 && !isNamed(list('allowusers'))))
    add(`sshd does not let the user ${user} in: put it into AllowUsers, and not into DenyUsers,`);
  if (isNamed(list('denygroups')) || (list('allowgroups').length > 0 && !isNamed(list('allowgroups'))))
    add(`sshd does not let the group ${user} in: put it into AllowGroups, and not into DenyGroups,`);
  const files = list('authorizedkeysfile');
  if (files.length > 0 && !files.some((file) => file === '.ssh/authorized_keys' || file === '%h/.ssh/authorized_keys'))
    add(`sshd does not read .ssh/authorized_keys: add it to AuthorizedKeysFile`);
  if (list('allowtcpforwarding').some((value) => value === 'no' || value === 'remote'))
    add('sshd does not forward: set AllowTcpForwarding yes');
  return problems;
}

/** A name with `*` and `?`, perhaps with `@` and hosts, which are not looked at. */
function matches(user: string, pattern: string): boolean {
  const [name = ''] = pattern.split('@');
  const source = name
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(user);
}
