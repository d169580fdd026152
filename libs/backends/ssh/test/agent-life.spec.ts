import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { ExecResult, SshConnection } from '@dstack/ssh';
import type { TestHost } from '@dstack/test-hosts';
import {
  type AgentBundle,
  ensureAgent,
  HostProblemError,
  onboardHost,
  removeAgent,
  replaceAgent,
} from '../src/hosts.js';
import { nextAgentFolder } from './support/agent-folder.js';
import { eventually } from './support/eventually.js';
import { agentOf, describeOnHosts, HostFixture, PATHS } from './support/host-fixture.js';
import { processJob, readLog } from './support/process-job.js';

const IMAGE = 'dstack-test/debian';

describeOnHosts('the agent of a host', () => {
  let fixture: HostFixture;

  let next: AgentBundle;

  beforeAll(async () => {
    fixture = await HostFixture.make();
    await fixture.bundle();
    next = await fixture.pack(nextAgentFolder(join(fixture.directory, 'next')));
  });
  afterAll(async () => {
    await fixture.remove();
  });

  const agentPids = (host: TestHost): Promise<number[]> => host.pids('agent.cjs host');

  it('comes back when it is killed, and is started again after its supervisor was, or the host', async () => {
    const host = await fixture.host({ name: 'steady', user: 'ops' });
    const { info } = await onboardHost(await fixture.onboarding(host));
    const [first] = await agentPids(host);
    await host.run(`kill -9 ${first}`);
    await eventually(async () => {
      const [pid] = await agentPids(host);
      return pid !== undefined && pid !== first;
    });
    const request = await fixture.request(host);
    await ensureAgent(request);
    await host.run(`kill -9 ${(await host.pids(PATHS.loop)).join(' ')} ${(await agentPids(host)).join(' ')}`);
    await ensureAgent(request);
    await expect(agentPids(host)).resolves.toHaveLength(1);

    await host.reboot();
    await expect(request.connection.closed).resolves.toMatchObject({ kind: 'disconnected' });
    await expect(ensureAgent(request)).rejects.toMatchObject({ kind: 'disconnected' });
    const again = await fixture.request(host);
    await ensureAgent(again);
    const client = agentOf(again.connection);
    await expect(client.info(again.signal)).resolves.toMatchObject({ agentId: info.agentId });
    client.close();
    await ensureAgent({ ...again, connection: withoutCommands(again.connection) });
  });

  it('is said to be missing where none was put', async () => {
    const host = await fixture.host({ name: 'bare' });
    const missing = ensureAgent(await fixture.request(host));
    await expect(missing).rejects.toBeInstanceOf(HostProblemError);
    await expect(missing).rejects.toMatchObject({ problem: 'agent-failed', lasting: false });
    await removeAgent(await fixture.request(host));
  });

  it('is replaced while a job prints, and no byte of its log is lost; the old one stays until the job has ended', async () => {
    const host = await fixture.host({ name: 'replaced', user: 'ops' });
    const request = await fixture.onboarding(host, { env: { http_proxy: 'http://user:secret@proxy' } });
    const { agentDigest } = await onboardHost(request);
    const client = agentOf(request.connection);
    const job = processJob(
      'i=0; until [ -e /var/tmp/enough ]; do echo line $i; i=$((i+1)); sleep 0.01; done; echo end',
    );
    await client.start(job, request.signal);
    const before = await readLog(client, job.id, { from: 0, until: 'line 30', signal: request.signal });
    const [old] = await agentPids(host);
    const replaced = await replaceAgent({ ...request, bundle: async () => next });
    expect(replaced.agentDigest).toBe(next.digest);
    expect(next.digest).not.toBe(agentDigest);
    await expect(agentPids(host)).resolves.not.toContain(old);
    await expect(host.run(`readlink ${PATHS.current}; cat ${PATHS.env}`)).resolves.toMatch(
      new RegExp(`${next.digest.slice(0, 16)}\n[^]*http_proxy="http://user:secret@proxy"`),
    );
    await expect(host.run('ls /usr/local/lib/dstack/agent | wc -l')).resolves.toBe('2\n');
    await host.run('touch /var/tmp/enough');
    const after = await readLog(client, job.id, { from: before.end, signal: request.signal });
    const lines = (before.text + after.text).split('\r\n');
    expect(lines).toEqual([...lines.slice(0, -2).map((_line, index) => `line ${index}`), 'end', '']);
    expect(lines.length).toBeGreaterThan(33);
    client.close();
    await eventually(async () => (await host.pids('agent.cjs job')).length === 0);
    await onboardHost(await fixture.onboarding(host, { env: request.env, bundle: async () => next }));
    await expect(host.run('ls /usr/local/lib/dstack/agent')).resolves.toBe(`${next.digest.slice(0, 16)}\n`);
  });

  it('goes with all that was put on the host, its jobs and the keys of its users', async () => {
    const docker = hasImage() ? { dockerImages: [IMAGE] } : {};
    if (!hasImage()) process.stderr.write(`not tested: removal of containers: no engine with the image ${IMAGE}\n`);
    const host = await fixture.host({ name: 'cleared', user: 'ops', ...docker });
    const key = (owner: string): string => `ssh-ed25519 AAAA${owner} ${owner}`;
    await host.run('cat >> /home/ops/.ssh/authorized_keys', `${key('somebody')}\n`);
    const filesBefore = await filesOf(host);
    const processesBefore = await processesOf(host);
    const request = await fixture.onboarding(host);
    await onboardHost(request);
    await host.run('cat >> /home/ops/.ssh/authorized_keys', `restrict ${key(PATHS.keyMark)}\n`);
    const client = agentOf(request.connection);
    if (hasImage()) {
      const container = { image: IMAGE, privileged: false, network: 'bridge', mounts: [] } as const;
      await client.start(processJob('sleep 6666', { runtime: 'container', container }), request.signal);
      await eventually(async () => (await host.pids('sleep 6666')).length >= 2);
      // The container has the old agent's folder mounted.
      for (let times = 0; times < 2; times += 1) await onboardHost({ ...request, bundle: async () => next });
      await expect(host.run('ls /usr/local/lib/dstack/agent | wc -l')).resolves.toBe('2\n');
    }
    await client.start(processJob('setsid sleep 5555 & sleep 5555'), request.signal);
    for (const sleeper of hasImage() ? ['sleep 5555', 'sleep 6666'] : ['sleep 5555'])
      await eventually(async () => (await host.pids(sleeper)).length >= 2);
    client.close();
    await removeAgent(request);
    for (const sleeper of ['sleep 5555', 'sleep 6666']) await expect(host.pids(sleeper)).resolves.toEqual([]);
    await expect(filesOf(host)).resolves.toEqual(filesBefore);
    await expect(processesOf(host)).resolves.toEqual(processesBefore);
    const keys = await host.run('cat /home/ops/.ssh/authorized_keys');
    expect(keys).toContain(key('somebody'));
    expect(keys).not.toContain(PATHS.keyMark);
    if (hasImage()) await expect(host.run('docker ps --all --quiet')).resolves.toBe('');
    await removeAgent(request);
  });
});

/** Whoever runs a command over it fails the test. */
function withoutCommands(connection: SshConnection): SshConnection {
  return new Proxy(connection, {
    get(target, name) {
      if (name === 'exec') return (): Promise<ExecResult> => Promise.reject(new Error('no command was needed'));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Not those of the kernel, of what runs, and of the engine. */
async function filesOf(host: TestHost): Promise<string[]> {
  const left =
    '-path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /.cgroup -o -path /.over -o -path /var/lib/docker -o -path /var/log';
  const files = await host.run(`find / \\( ${left} \\) -prune -o -print | sort`);
  return files.split('\n').filter((path) => !path.startsWith('/usr/lib/python'));
}

async function processesOf(host: TestHost): Promise<string[]> {
  const lines = await host.run('for each in /proc/[0-9]*; do tr "\\0" " " < $each/cmdline 2>/dev/null; echo; done');
  const usual = /^(sh -c for each|tr |sshd: |\s*$|containerd-shim)/;
  return lines
    .split('\n')
    .filter((line) => !usual.test(line))
    .sort();
}

function hasImage(): boolean {
  try {
    execFileSync('docker', ['image', 'inspect', IMAGE], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
