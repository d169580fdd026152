import { sshdProblems } from './sshd-rules.js';

const DEFAULTS = 'port 22\nauthorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2\nallowtcpforwarding yes\n';

describe('what sshd does to ways through the host', () => {
  it.each([
    ['the defaults', ''],
    ['another list that has the user', 'allowusers ops\nallowusers dstack-*\n'],
    ['the user with its hosts', 'allowusers dstack-door@10.0.0.0/8\n'],
    ['a list of others who may not', 'denyusers guest\n'],
  ])('is nothing with %s', (_what, lines) => {
    expect(sshdProblems('dstack-door', DEFAULTS + lines)).toEqual([]);
  });

  it.each([
    ['who may', 'allowusers ops deploy\n', 'AllowUsers'],
    ['who may not', 'denyusers dstack*\n', 'DenyUsers'],
    ['groups that may', 'allowgroups wheel\n', 'AllowGroups'],
    ['no forwarding', 'allowtcpforwarding no\n', 'AllowTcpForwarding'],
  ])('is told for a list of %s', (_what, lines, option) => {
    expect(sshdProblems('dstack-door', DEFAULTS.replace('allowtcpforwarding yes\n', '') + lines)).toEqual([
      expect.stringContaining(option),
    ]);
  });

  it('is told for keys that are read elsewhere', () => {
    expect(sshdProblems('dstack-door', 'authorizedkeysfile /etc/ssh/keys/%u\n')).toEqual([
      'sshd does not read .ssh/authorized_keys: add it to AuthorizedKeysFile in the sshd_config of the host, then reload sshd',
    ]);
  });

  it('is not known where sshd does not tell', () => {
    expect(sshdProblems('dstack-door', '')).toEqual([]);
  });
});
