import { join } from 'node:path';
import type { TestHost, TestHostOptions } from '@dstack/test-hosts';
import { type AgentBundle, HostProblemError, onboardHost, type OnboardRequest, removeAgent } from '../src/hosts.js';
import { scriptedAgentFolder } from './support/agent-folder.js';
import { agentLetGo } from '../src/agent-let-go.js';
import { gatewayLetGo } from '../src/gateway/gateway-let-go.js';
import { gatewayPaths } from '../src/gateway/gateway-paths.js';
import { LET_GO, type LetGo, letGoScript, OTHERS, unlessLetGo } from '../src/let-go-script.js';
import { describeOnHosts, HostFixture, INSTANCE, PATHS } from './support/host-fixture.js';

describeOnHosts('what is wrong with a host is told', () => {
  let fixture: HostFixture;
  let count = 0;

  beforeAll(async () => {
    fixture = await HostFixture.make();
    await fixture.bundle();
  });
  afterAll(async () => {
    await fixture.remove();
  });

  const newHost = (options: Partial<TestHostOptions> = {}): Promise<TestHost> => {
    count += 1;
    return fixture.host({ name: `wrong-${count}`, ...options });
  };
  const problemOf = async (host: TestHost, more: Partial<OnboardRequest> = {}): Promise<HostProblemError> => {
    const error: unknown = await onboardHost(await fixture.onboarding(host, more)).catch((reason: unknown) => reason);
    if (error instanceof HostProblemError) return error;
    throw new Error('no problem was told', { cause: error });
  };
  /** In the place of a program of the host. */
  const fake = async (host: TestHost, program: string, script: string): Promise<void> => {
    await host.run(`rm -f ${program}; cat > ${program}; chmod 755 ${program}`, `#!/bin/sh\n${script}\n`);
  };
  const scripted = (script: string): Promise<AgentBundle> => {
    count += 1;
    return fixture.pack(scriptedAgentFolder(join(fixture.directory, `scripted-${count}`), script));
  };
  const leftInAgents = (host: TestHost): Promise<string> =>
    host.run('ls -A /usr/local/lib/dstack/agent 2>/dev/null || :');

  it('a user who may not become root', async () => {
    const error = await problemOf(await newHost({ user: 'ops', sudo: false }));
    expect(error).toMatchObject({ problem: 'no-sudo', lasting: true });
    expect(error.message).toMatch(/^wrong-\d+: ops is not root .*a password is required/);
  });

  it('a login shell that runs no commands', async () => {
    const host = await newHost({ user: 'ops' });
    await host.run('usermod --shell /usr/sbin/nologin ops');
    await expect(problemOf(host)).resolves.toMatchObject({
      problem: 'not-linux',
      message: expect.stringContaining('usual login shell') as string,
    });
  });

  it('another kind of processor, also when the server has no agent for a known one', async () => {
    const host = await newHost();
    await fake(host, '/usr/bin/uname', 'case $1 in -m) echo riscv64 ;; *) echo Linux ;; esac');
    const error = await problemOf(host);
    expect(error).toMatchObject({ problem: 'unsupported-architecture', lasting: true });
    expect(error.message).toContain('riscv64');
    await fake(host, '/usr/bin/uname', 'case $1 in -m) echo aarch64 ;; *) echo Linux ;; esac');
    const onlyX86: OnboardRequest['bundle'] = async (arch) => (arch === 'x86' ? await fixture.bundle() : undefined);
    const none = await problemOf(host, { bundle: onlyX86 });
    expect(none.message).toContain('aarch64, and this server has no agent for it');
  });

  it('a clock that is far off', async () => {
    const host = await newHost();
    await fake(host, '/usr/bin/date', 'echo 1000000000');
    const error = await problemOf(host);
    expect(error).toMatchObject({ problem: 'clock-off', lasting: true });
    expect(error.message).toContain('2001-09-09T01:46:40Z');
  });

  it('a disk without room, before anything is sent', async () => {
    const host = await newHost();
    await host.run('mount -t tmpfs -o size=8m tmpfs /usr/local/lib');
    const error = await problemOf(host);
    expect(error).toMatchObject({ problem: 'disk-full', lasting: true });
    expect(error.message).toMatch(/8 MiB are free for \/usr\/local\/lib\/dstack\/agent, and \d+ MiB are needed/);
    const data = await newHost();
    await data.run('mount -t tmpfs -o size=8m tmpfs /var/lib');
    await expect(problemOf(data)).resolves.toMatchObject({ problem: 'disk-full' });
  });

  it('a disk that fills up while the agent is sent; no part of it stays', async () => {
    const host = await newHost();
    await host.run('mount -t tmpfs -o size=40m tmpfs /usr/local/lib');
    await fake(host, '/usr/bin/df', 'echo header; echo "disk 1 1 99999999 1% /"');
    await expect(problemOf(host)).resolves.toMatchObject({ problem: 'disk-full', lasting: true });
    await expect(leftInAgents(host)).resolves.toBe('');
  });

  it('an archive that is damaged', async () => {
    const host = await newHost();
    const bundle = await scripted('exit 0');
    const error = await problemOf(host, { bundle: async () => ({ ...bundle, digest: 'f'.repeat(64) }) });
    expect(error).toMatchObject({ problem: 'upload-failed', lasting: false });
    await expect(leftInAgents(host)).resolves.toBe('');
  });

  it('a file system that runs no programs', async () => {
    const host = await newHost();
    await host.run('mount -t tmpfs -o noexec tmpfs /usr/local/lib');
    const small = await scripted('exit 0');
    const error = await problemOf(host, { bundle: async () => small });
    expect(error).toMatchObject({ problem: 'agent-failed', lasting: true });
    expect(error.message).toMatch(/Permission denied.*programs may be run/s);
  });

  it('an agent that ends again and again, with its last words', async () => {
    const broken = await scripted('case "$*" in *--version) ;; *) echo no luck today >&2; exit 1 ;; esac');
    const host = await newHost();
    const error = await problemOf(host, { bundle: async () => broken });
    expect(error).toMatchObject({ problem: 'agent-failed', lasting: false });
    expect(error.message).toContain('no luck today');
    // And a good one puts it right.
    await onboardHost(await fixture.onboarding(host));
  });

  it('accelerators of two vendors, and a driver that does not work', async () => {
    const host = await newHost();
    await host.run('touch /dev/nvidiactl');
    await expect(problemOf(host)).resolves.toMatchObject({ problem: 'gpu-driver' });
    await fake(
      host,
      '/usr/bin/nvidia-smi',
      'echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18',
    );
    const driver = await problemOf(host);
    expect(driver).toMatchObject({ problem: 'gpu-driver', lasting: true });
    expect(driver.message).toContain('Driver/library version mismatch');
    await host.run('touch /dev/kfd');
    await expect(problemOf(host)).resolves.toMatchObject({ problem: 'mixed-gpus', lasting: true });
  });

  it('an agent of another installation, which is left alone', async () => {
    const host = await newHost();
    const other = 'cafe0000-2d3b-4c5d-8e9f-000000000002';
    await onboardHost(await fixture.onboarding(host, { owner: other }));
    const agents = await host.pids('agent.cjs host');
    const error = await problemOf(host);
    expect(error).toMatchObject({ problem: 'owned-by-another-server', lasting: true });
    expect(error.message).toContain(other);
    await removeAgent(await fixture.request(host));
    // Nor does a late removal take what the next instance of the same installation has.
    const next = { instance: '0d3c0d9a-65a5-4f0e-9c55-000000000002' };
    await removeAgent({ ...(await fixture.request(host)), owner: other, ...next });
    await expect(host.pids('agent.cjs host')).resolves.toEqual(agents);
    // What the message tells a person to do.
    await host.run(/sudo sh \S+$/.exec(error.message)?.[0] ?? 'false');
    await expect(host.pids('agent.cjs host')).resolves.toEqual([]);
    await onboardHost(await fixture.onboarding(host, next));
  });

  it('that it was let go, to an installation that comes late', async () => {
    const host = await newHost({ user: 'ops' });
    const late = await fixture.onboarding(host);
    const bundle = await fixture.bundle();
    const letGoMeanwhile = async (): Promise<typeof bundle> => {
      await removeAgent(await fixture.request(host));
      return bundle;
    };
    await expect(onboardHost({ ...late, bundle: letGoMeanwhile })).rejects.toMatchObject({
      problem: 'let-go',
      lasting: true,
    });
    await expect(host.run(`ls ${PATHS.state} 2>/dev/null || :`)).resolves.toBe('');
    await expect(leftInAgents(host)).resolves.toBe('');

    await host.run(`rm /run/${PATHS.keyMark}-let-go/${INSTANCE}`);
    const overtaken = `main() ( ${letGoScript(agentLetGo(PATHS, INSTANCE))} )\nmain\nmkdir -p ${PATHS.state} && false`;
    const script = `main() ( set -eu\n${unlessLetGo(agentLetGo(PATHS, INSTANCE), overtaken)} )\nmain </dev/null || echo $?`;
    await expect(host.run('sh -s', script)).resolves.toBe(`${LET_GO}\n`);
    await expect(host.run('ls -d /var/lib/dstack 2>/dev/null || :')).resolves.toBe('');
  });

  it('that it was let go, to a gateway that comes late', async () => {
    const host = await newHost({ user: 'ops' });
    const paths = gatewayPaths('beef0000-2d3b-4c5d-8e9f-000000000002');
    const [late, next] = ['late', 'next'].map((replica) => gatewayLetGo(paths, replica)) as [LetGo, LetGo]; // one for each
    const run = (script: string): Promise<string> =>
      host.run('sudo sh -s', `main() ( set -eu\n${script} )\nmain </dev/null || echo $?`);
    const put = `mkdir -p ${paths.state}`;
    await expect(run(unlessLetGo(late, `main() ( ${letGoScript(late)} )\nmain\n${put}`))).resolves.toBe(`${LET_GO}\n`);
    await expect(run(unlessLetGo(late, put))).resolves.toBe(`${LET_GO}\n`);
    await expect(host.run(`ls ${paths.state} 2>/dev/null || :`)).resolves.toBe('');

    // Nor does a late removal take what the next replica has.
    await expect(run(unlessLetGo(next, `${put}\necho next > ${paths.replica}`))).resolves.toBe('');
    await expect(run(letGoScript(late))).resolves.toBe(`${OTHERS}\n`);
    await expect(host.run(`ls ${paths.state}`)).resolves.toBe('replica\n');
    await expect(run(letGoScript(next))).resolves.toBe('');
    await expect(host.run(`ls -d ${paths.state} 2>/dev/null || :`)).resolves.toBe('');
  });

  it('an sshd that forwards no ports, or no sockets', async () => {
    const host = await newHost({ user: 'ops' });
    await host.configureSshd(['AllowTcpForwarding no']);
    const ports = await problemOf(host);
    expect(ports).toMatchObject({ problem: 'no-forwarding', lasting: true });
    expect(ports.message).toContain("'AllowTcpForwarding yes'");
    await expect(leftInAgents(host)).resolves.toBe('');
    await host.configureSshd(['AllowTcpForwarding yes', 'AllowStreamLocalForwarding no']);
    const sockets = await problemOf(host);
    expect(sockets).toMatchObject({ problem: 'no-forwarding', lasting: true });
    expect(sockets.message).toContain("'AllowStreamLocalForwarding yes'");
  });
});
