import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createTestNetwork, type TestHost, type TestNetwork, whyNoTestHosts } from '../src/index.js';

const run = promisify(execFile);
const reason = whyNoTestHosts();
if (reason !== null) process.stderr.write(`skipped: test hosts: ${reason}\n`);
const withHosts = reason === null ? describe : describe.skip;

const SSH = [
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
  '-o',
  'BatchMode=yes',
  '-o',
  'LogLevel=ERROR',
];

async function ssh(host: TestHost, command: string): Promise<string> {
  const { stdout } = await run('ssh', [...SSH, '-i', host.identityFile, `${host.user}@${host.address}`, command], {
    timeout: 20_000,
  });
  return stdout.trim();
}

withHosts('test hosts', () => {
  let network: TestNetwork;
  const leftBefore = reason === null ? traces() : [];

  beforeAll(async () => {
    network = await createTestNetwork();
  });
  afterAll(async () => {
    await network.remove();
    expect(traces()).toEqual(leftBefore);
  });

  it('are machines of their own that see each other and this machine', async () => {
    const hosts = await Promise.all(['one', 'two', 'three'].map((name) => network.host({ name })));
    const server = createServer((socket) => socket.end(`to ${socket.remoteAddress}`));
    await new Promise<void>((resolve) => server.listen(0, network.gateway, resolve));
    const { port } = server.address() as AddressInfo; // a TCP server that listens has one
    for (const host of hosts) {
      await expect(ssh(host, 'hostname')).resolves.toBe(host.name);
      await host.run('echo mine > /root/mine; echo mine > /etc/mine');
      for (const other of hosts) await host.run(`bash -c '</dev/tcp/${other.address}/22'`);
      await expect(host.run(`bash -c 'cat </dev/tcp/${network.gateway}/${port}'`)).resolves.toBe(`to ${host.address}`);
    }
    await new Promise((resolve) => server.close(resolve));
    const [one, two] = hosts as [TestHost, TestHost, TestHost];
    await expect(one.run('ip route get 192.0.2.77 2>&1 || :')).resolves.toContain('unreachable');
    await one.run('sleep 1000 >/dev/null 2>&1 &');
    await expect(one.pids('sleep 1000')).resolves.toHaveLength(1);
    await expect(two.pids('sleep 1000')).resolves.toEqual([]);
    expect(existsSync('/etc/mine')).toBe(false);
    for (const host of hosts) await host.remove();
  });

  it('have a user who may or may not become root', async () => {
    const able = await network.host({ name: 'able', user: 'ops' });
    const unable = await network.host({ name: 'unable', user: 'ops', sudo: false });
    await expect(ssh(able, 'id -un; sudo -n id -un')).resolves.toBe('ops\nroot');
    await expect(ssh(unable, 'sudo -n id -un')).rejects.toThrow(/password is required/);
    await expect(unable.run('exit 3')).rejects.toThrow('exit code 3');
  });

  it('lose what runs in a reboot, and keep their files and their host key', async () => {
    const host = await network.host({ name: 'rebooted' });
    const key = await host.run('cat /etc/ssh/ssh_host_ed25519_key.pub');
    await host.run('echo kept > /root/file; touch /run/gone; setsid sleep 1000 >/dev/null 2>&1 &');
    await host.reboot();
    await expect(host.pids('sleep 1000')).resolves.toEqual([]);
    await expect(ssh(host, 'cat file; ls /run/gone 2>/dev/null || echo gone')).resolves.toBe('kept\ngone');
    await expect(host.run('cat /etc/ssh/ssh_host_ed25519_key.pub')).resolves.toBe(key);
    await host.replaceHostKey();
    await expect(host.run('cat /etc/ssh/ssh_host_ed25519_key.pub')).resolves.not.toBe(key);
    await expect(ssh(host, 'echo in')).resolves.toBe('in');
  });

  it('hang while they are cut off, and go on when mended', async () => {
    const host = await network.host({ name: 'cut' });
    const socket = connect({ host: host.address, port: 22 });
    await new Promise((resolve) => socket.once('data', resolve));
    await host.cut();
    let told = '';
    socket.on('data', () => (told = 'data')).on('close', () => (told = 'closed'));
    socket.write('SSH-2.0-test\r\n');
    const fresh = connect({ host: host.address, port: 22 });
    fresh.on('connect', () => (told = 'connected')).on('error', (error) => (told = error.message));
    await delay(4_000); // longer than a failed neighbour takes to be reported
    expect(told).toBe('');
    await host.mend();
    await expect(ssh(host, 'echo back')).resolves.toBe('back');
    await new Promise<void>((resolve) => (told === '' ? socket.once('data', () => resolve()) : resolve()));
    socket.destroy();
    fresh.destroy();
  });

  it('may forbid forwarding', async () => {
    const host = await network.host({ name: 'strict' });
    await host.configureSshd(['AllowTcpForwarding no']);
    await expect(host.run('sshd -T | grep -i allowtcpforwarding')).resolves.toBe('allowtcpforwarding no\n');
    await expect(ssh(host, 'echo in')).resolves.toBe('in');
  });

  const noEngine = whyNoEngine('dstack-test/debian');
  if (noEngine !== null) process.stderr.write(`skipped: a test host's Docker Engine: ${noEngine}\n`);
  (noEngine === null ? it : it.skip)('may run a Docker Engine of their own', async () => {
    const host = await network.host({ name: 'docked', dockerImages: ['dstack-test/debian'] });
    await expect(host.run('docker run --rm dstack-test/debian echo from a container')).resolves.toBe(
      'from a container\n',
    );
    await host.run('docker run -d --name long dstack-test/debian sleep 4321');
    await expect(host.pids('sleep 4321')).resolves.not.toEqual([]);
    await host.reboot();
    await expect(host.pids('sleep 4321')).resolves.toEqual([]);
    await expect(host.run('docker ps -a --format "{{.Names}} {{.State}}"')).resolves.toBe('long exited\n');
  });
});

/** Of test hosts of this process. */
function traces(): string[] {
  const mine = `dsth${process.pid}x`;
  return ['/sys/class/net', tmpdir(), '/sys/fs/cgroup', '/sys/fs/cgroup/pids']
    .filter((directory) => existsSync(directory))
    .flatMap((directory) => readdirSync(directory).filter((name) => name.startsWith(mine)));
}

function whyNoEngine(image: string): string | null {
  try {
    execFileSync('docker', ['image', 'inspect', image], { stdio: 'ignore' });
    return null;
  } catch {
    return `no engine with the image ${image} (tools/ci/make-test-images.sh)`;
  }
}
