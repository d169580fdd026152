import { hostOffer, type FoundHost } from './host-offer.js';
import { planHostChanges } from './plan-host-changes.js';
import { type SshHost, sshHosts, withoutPrivateKeys } from './ssh-hosts.js';

const key = (name: string) => ({ public: `ssh-ed25519 ${name}`, private: `private ${name}` });

describe('the hosts of a fleet', () => {
  it('take from ssh_config what they do not say themselves', () => {
    const found = sshHosts({
      blocks: 2,
      ssh_config: {
        user: 'ubuntu',
        port: 2222,
        ssh_key: key('shared'),
        network: '10.0.0.0/24',
        hosts: [
          'one',
          { hostname: 'two', user: 'ops', port: 22, ssh_key: key('own'), blocks: 'auto', internal_ip: '10.0.0.2' },
        ],
      },
    });
    expect(found).toEqual({
      ok: true,
      hosts: [
        { hostname: 'one', port: 2222, user: 'ubuntu', privateKeys: ['private shared'], jump: null, internalIp: null, network: '10.0.0.0/24', blocks: 2 },
        { hostname: 'two', port: 22, user: 'ops', privateKeys: ['private own'], jump: null, internalIp: '10.0.0.2', network: '10.0.0.0/24', blocks: 'auto' },
      ],
    }); // prettier-ignore
  });

  it('are reached through the jump host of their own, else the common one', () => {
    const jump = (hostname: string) => ({ hostname, user: 'j', identity_file: 'f', ssh_key: key(hostname) });
    const found = sshHosts({
      ssh_config: { user: 'u', ssh_key: key('k'), proxy_jump: jump('head'), hosts: ['a', { hostname: 'b', proxy_jump: jump('side') }] },
    }); // prettier-ignore
    expect(found.ok && found.hosts.map((host) => host.jump?.hostname)).toEqual(['head', 'side']);
  });

  it.each([
    ['a user', { ssh_key: key('k'), hosts: ['a'] }, 'host a has no user'],
    ['a key', { user: 'u', hosts: ['a'] }, 'host a has no private key'],
    ['the key of a jump host', { user: 'u', ssh_key: key('k'), proxy_jump: { hostname: 'h', user: 'u', identity_file: 'f' }, hosts: ['a'] }, 'proxy_jump h of host a has no private key'],
  ])('need %s', (_what, ssh_config, problem) => {
    const found = sshHosts({ ssh_config });
    expect(!found.ok && found.problems.join()).toContain(problem);
  }); // prettier-ignore

  it('are shown without their private keys, however deep those are', () => {
    const jump = { hostname: 'h', user: 'u', identity_file: 'f', ssh_key: key('jump') };
    const spec = {
      configuration: {
        type: 'fleet' as const,
        ssh_config: { ssh_key: key('top'), proxy_jump: jump, hosts: ['a', { hostname: 'b', ssh_key: key('host'), proxy_jump: jump }] },
      },
    }; // prettier-ignore
    const shown = JSON.stringify(withoutPrivateKeys(spec));
    expect(shown).not.toContain('private ');
    expect(shown.match(/ssh-ed25519/g)).toHaveLength(4);
  });
});

const found: FoundHost = {
  arch: 'x86', cpus: 8, memoryBytes: 64 * 1024 ** 3, diskFreeBytes: 100 * 1024 ** 3,
  gpus: Array.from({ length: 4 }, () => ({ vendor: 'nvidia', name: 'NVIDIA A100-SXM4-80GB', memoryMib: 81_251 })),
  addresses: ['203.0.113.9/24', '10.0.0.5/24', '192.168.7.5/24'],
}; // prettier-ignore
const host = { blocks: 1 as number | 'auto', internalIp: null as string | null, network: null as string | null };

describe('what a host offers', () => {
  it('has the names and sizes that people ask for', () => {
    const offered = hostOffer(host, found);
    expect(offered).toMatchObject({
      ok: true,
      blocks: 1,
      offer: {
        backend: 'remote',
        price: 0,
        instance: { resources: { cpus: 8, memory_mib: 65_536, gpus: Array(4).fill({ name: 'A100', memory_mib: 81_920, vendor: 'nvidia' }) } },
      },
    }); // prettier-ignore
  });

  it.each([
    ['the first private address', host, '10.0.0.5'],
    ['the one inside the network', { ...host, network: '192.168.0.0/16' }, '192.168.7.5'],
    ['the one that is given', { ...host, internalIp: '192.168.7.5' }, '192.168.7.5'],
  ])('is reached by other nodes at %s', (_rule, given, ip) => {
    expect(hostOffer(given, found)).toMatchObject({ ok: true, internalIp: ip });
  });

  it.each([
    ['a network it is not in', { ...host, network: '172.16.0.0/16' }, 'no interface of the host is in network 172.16.0.0/16'],
    ['an address it has not', { ...host, internalIp: '10.0.0.6' }, 'internal_ip 10.0.0.6 is on no interface'],
    ['blocks its GPUs do not divide into', { ...host, blocks: 3 }, 'Cannot split into blocks'],
  ])('is refused with %s', (_rule, given, problem) => {
    const offered = hostOffer(given, found);
    expect(!offered.ok && offered.problem).toContain(problem);
  }); // prettier-ignore

  it('is divided by its GPUs when nobody says how', () => {
    expect(hostOffer({ ...host, blocks: 'auto' }, found)).toMatchObject({ ok: true, blocks: 4 });
  });
});

describe('a changed list of hosts', () => {
  const named = (hostname: string): SshHost => ({
    hostname, port: 22, user: 'u', privateKeys: ['k'], jump: null, internalIp: null, network: null, blocks: 1,
  }); // prettier-ignore
  const fact = (hostname: string, isFinished = false) => ({ instanceId: `i-${hostname}`, hostname, isFinished });

  it('leaves the others alone', () => {
    const changes = planHostChanges([named('a'), named('c')], [fact('a'), fact('b')]);
    expect(changes).toEqual({
      add: [named('c')],
      keep: [{ instanceId: 'i-a', host: named('a') }],
      remove: ['i-b'],
      forget: [],
    });
  });

  it('tries failed hosts again', () => {
    const changes = planHostChanges([named('a')], [fact('a', true)]);
    expect(changes).toEqual({ add: [named('a')], keep: [], remove: [], forget: ['i-a'] });
  });
});
