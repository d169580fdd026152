import type { SshTarget } from '@dstack/ssh';
import type { HostPlace } from '../replicas/ssh-host.js';
import { canTunnel } from './ssh-program.js';
import { tunnelPlan } from './tunnel-plan.js';

const host: SshTarget = {
  host: '10.0.0.7',
  port: 10_022,
  user: 'dstack-door',
  privateKeys: ['PRIVATE'],
  pinnedHostKey: 'ssh-ed25519 AAAA',
  jump: null,
};
const jump: SshTarget = { ...host, host: 'jump.test', port: 22, user: 'ubuntu', privateKeys: ['ONE\n', 'TWO'], pinnedHostKey: 'ssh-rsa BBBB' }; // prettier-ignore
const remote: HostPlace = { kind: 'tcp', host: '127.0.0.1', port: 8000 };
const places = { directory: '/d/k/1', socketPath: '/d/t/1.n' };

it('says all of a host, and the key of the host alone is taken', () => {
  const plan = tunnelPlan(host, remote, places);
  expect(plan?.alias).toBe('hop0');
  const config = plan?.files.get('/d/k/1/config') ?? '';
  for (const line of [
    'HostName 10.0.0.7',
    'Port 10022',
    'User dstack-door',
    'HostKeyAlgorithms ssh-ed25519',
    'IdentityFile /d/k/1/key-0-0',
    'LocalForward /d/t/1.n 127.0.0.1:8000',
    'StrictHostKeyChecking yes',
    'UserKnownHostsFile /d/k/1/known_hosts',
  ])
    expect(config).toContain(`  ${line}\n`);
  expect(config).not.toMatch(/PRIVATE|ProxyJump/);
  expect(plan?.files.get('/d/k/1/known_hosts')).toBe('hop0 ssh-ed25519 AAAA\n');
  expect(plan?.files.get('/d/k/1/key-0-0')).toBe('PRIVATE\n');
});

it('goes through the hosts before it, each with its own keys', () => {
  const plan = tunnelPlan({ ...host, jump }, remote, places);
  expect(plan?.alias).toBe('hop1');
  const [first = '', last = ''] = (plan?.files.get('/d/k/1/config') ?? '').split('Host hop1');
  expect(first).toContain('HostName jump.test');
  expect(first).toContain('HostKeyAlgorithms rsa-sha2-512,rsa-sha2-256');
  expect(first).toContain('IdentityFile /d/k/1/key-0-1');
  expect(first).not.toContain('LocalForward');
  expect(last).toContain('ProxyJump hop0');
  expect(plan?.files.get('/d/k/1/key-0-0')).toBe('ONE\n');
  expect(plan?.files.get('/d/k/1/known_hosts')).toBe('hop0 ssh-rsa BBBB\nhop1 ssh-ed25519 AAAA\n');
});

it('takes commands beside, where the socket for them has a path that is short enough', () => {
  const { directory, ...rest } = places;
  const long = `/${'d'.repeat(90)}`;
  for (const [path, takesCommands] of [
    [directory, true],
    [long, false],
  ] as const) {
    const plan = tunnelPlan({ ...host, jump }, remote, { ...rest, directory: path });
    expect(plan?.takesCommands).toBe(takesCommands);
    const config = plan?.files.get(`${path}/config`) ?? '';
    expect(config.includes(`  ControlMaster yes\n  ControlPath ${path}/c\nHost *\n`)).toBe(takesCommands);
    // Of the last host alone.
    expect(config.split('Host hop1')[0]).not.toContain('ControlMaster');
  }
});

it.each<[HostPlace, string | null]>([
  [{ kind: 'tcp', host: '::1', port: 80 }, '[::1]:80'],
  [{ kind: 'unix', path: '/run/job/s.sock' }, '/run/job/s.sock'],
  [{ kind: 'unix', path: '/run/a b' }, null],
  [{ kind: 'tcp', host: 'a b', port: 80 }, null],
])('%o', (place, end) => {
  const config = tunnelPlan(host, place, places)?.files.get('/d/k/1/config');
  if (end === null) expect(config).toBeUndefined();
  else expect(config).toContain(`  LocalForward /d/t/1.n ${end}\n`);
});

it.each<[string, Partial<SshTarget>]>([
  ['a host whose key is not known yet', { pinnedHostKey: null }],
  ['a jump host whose key is not known yet', { jump: { ...jump, pinnedHostKey: null } }],
  ['a key that is more than one line', { pinnedHostKey: 'ssh-ed25519 AAAA\n* ssh-ed25519 B' }],
  ['a host that is an option', { host: '-oProxyCommand=x' }],
  ['a host that is more than a word', { host: 'a\n  ProxyCommand x' }],
  ['a host with a token of the configuration', { host: '%h' }],
  ['a user that is more than a word', { user: 'a b' }],
  ['a user that is an option', { user: '-x' }],
  ['nothing to log in with', { privateKeys: [] }],
])('there is none for %s', (_what, more) => {
  expect(tunnelPlan({ ...host, ...more }, remote, places)).toBeNull();
});

it.each([
  ['OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.22 25 Aug 2026', true],
  ['OpenSSH_7.8p1, OpenSSL 1.1.1', true],
  ['OpenSSH_10.0p2', true],
  ['OpenSSH_7.4p1, OpenSSL 1.0.2k-fips', false],
  ['Dropbear v2022.83', false],
  ['', false],
])('%s can tunnel: %s', (version, can) => expect(canTunnel(version)).toBe(can));
