import { text as textOf } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpAgentClient, JobStart, JobState } from '@dstack/agent-protocol';
import { openSshConnection, type SshConnection } from '@dstack/ssh';
import type { TestHost } from '@dstack/test-hosts';
import { onboardHost, removeAgent } from '../src/hosts.js';
import { agentOf, describeOnHosts, HostFixture, PATHS } from './support/host-fixture.js';
import { canBeEntered, hasEnded, processJob, readLog, waitFor } from './support/jobs-on-host.js';
import { Person } from './support/person.js';

const KEYS = '/var/lib/dstack-door/.ssh/authorized_keys';
const OWN_KEYS = '/home/ops/.ssh/authorized_keys';
/** Says its word to whoever connects. The agent brings its own node to every host. */
const SERVE =
  'D=$(ls -d /usr/local/lib/dstack/agent/*/ | head -n 1); exec $D/lib/ld-linux-* --library-path $D/lib $D/node -e ' +
  '"require(\'node:net\').createServer((s) => s.end(process.env.WORD)).listen(18990)"';
const soon = (): AbortSignal => AbortSignal.timeout(20_000);

describeOnHosts('the keys of a job on its host', () => {
  let fixture: HostFixture;
  let host: TestHost;
  let client: HttpAgentClient;
  let person: Person;

  beforeAll(async () => {
    fixture = await HostFixture.make();
    person = new Person();
    host = await fixture.host({ name: 'shared', user: 'ops' });
    const request = await fixture.onboarding(host);
    await onboardHost(request);
    client = agentOf(request.connection);
  });
  afterAll(async () => {
    client.close();
    person.remove();
    await fixture.remove();
  });

  function job(script: string, more: Partial<JobStart['ssh']> = {}): JobStart {
    const authorizedKeys = [person.publicKey];
    return processJob(script, {
      ssh: {
        authorizedKeys,
        listen: { host: '127.0.0.1', port: 0 },
        viaHost: { authorizedKeys },
        ...more,
      },
    });
  }
  const loginAsDoor = (): Promise<SshConnection> => {
    const key = { privateKeys: [person.privateKey], pinnedHostKey: null, jump: null };
    return openSshConnection({ host: host.address, port: 22, user: 'dstack-door', ...key }, { signal: soon() });
  };
  const jump = (port: number, ...command: string[]) =>
    person.ssh('-J', `dstack-door@${host.address}`, '-p', String(port), 'root@localhost', ...command);

  it('lead to the job while it runs, and nowhere else', async () => {
    const before = await host.run(`cat ${OWN_KEYS}`);
    const started = job('sleep 1000');
    await client.start(started, soon());
    const { sshPort = 0 } = await waitFor(client, started.id, canBeEntered);
    await expect(jump(sshPort, 'echo in $DSTACK_RUN_NAME')).resolves.toMatchObject({
      code: 0,
      stdout: 'in brave-fox-1\n',
    });

    const refusal = { code: 1, stdout: expect.not.stringContaining('uid=') as string };
    await expect(person.ssh(`dstack-door@${host.address}`, 'id')).resolves.toMatchObject(refusal);
    await expect(person.ssh('-T', `dstack-door@${host.address}`)).resolves.toMatchObject(refusal);
    await expect(person.ssh('-W', 'localhost:22', `dstack-door@${host.address}`)).resolves.toMatchObject({
      stderr: expect.stringContaining('stdio forwarding failed') as string,
    });
    const listening = ['-o', 'ExitOnForwardFailure=yes', '-N', '-R', '0:localhost:22'];
    await expect(person.ssh(...listening, `dstack-door@${host.address}`)).resolves.toMatchObject({
      code: 255,
      stderr: expect.stringContaining('remote port forwarding failed') as string,
    });

    await client.stop(started.id, { mode: 'kill', graceSeconds: 0, reason: 'terminated_by_user' }, soon());
    await waitFor(client, started.id, hasEnded);
    await expect(host.run(`cat ${KEYS}`)).resolves.toBe('');
    await expect(host.run(`cat ${OWN_KEYS}`)).resolves.toBe(before);
    await expect(jump(sshPort, 'true')).resolves.toMatchObject({
      code: 255,
      stderr: expect.stringContaining('Permission denied') as string,
    });
  });

  it('lead to no unix socket of the host', async () => {
    const started = job('sleep 1000');
    await client.start(started, soon());
    await waitFor(client, started.id, canBeEntered);
    const connection = await loginAsDoor();
    try {
      await expect(connection.openUnix(PATHS.socket)).rejects.toThrow(/open failed|not open/);
    } finally {
      connection.close();
    }
    expect(await host.run('id -nG dstack-door')).toBe('dstack-door\n');
    await client.desire([], soon());
  });

  it('lead to several jobs of the same person, and to those of an agent that was killed, until they end', async () => {
    const jobs = [job('sleep 1000'), job('sleep 1000')];
    const ports: number[] = [];
    for (const each of jobs) {
      await client.start(each, soon());
      ports.push((await waitFor(client, each.id, canBeEntered)).sshPort ?? 0);
    }
    for (const port of ports) await expect(jump(port, 'echo in')).resolves.toMatchObject({ stdout: 'in\n' });

    const [pid = 0] = await host.pids(`agent.cjs host --dir ${PATHS.state}`);
    await host.run(`kill -9 ${pid}; rm -r ${PATHS.state}/jobs/${jobs[0]?.id ?? ''}`);
    await until(async () => {
      const text = await host.run(`cat ${KEYS}`);
      return text.includes(`localhost:${ports[1] ?? 0}"`) && !text.includes(`localhost:${ports[0] ?? 0}"`);
    });
    await expect(jump(ports[1] ?? 0, 'echo still in')).resolves.toMatchObject({ stdout: 'still in\n' });
    await client.desire([], soon());
    expect(await host.run(`cat ${KEYS}`)).toBe('');
  });

  it('of a gateway open no port of the job that listens where the first one did, by a connection from before', async () => {
    const gatewayDoor = { authorizedKeys: [person.publicKey], port: 18_990 };
    const serve = async (word: string) => {
      const started = processJob(SERVE, { env: { WORD: word }, gatewayDoor });
      await client.start(started, soon());
      const isOpen = (state: JobState) => state.phase === 'running' && state.servicePort !== undefined;
      return { id: started.id, port: (await waitFor(client, started.id, isOpen)).servicePort ?? 0 };
    };
    const says = async (connection: SshConnection, port: number) => textOf(await connection.openTcp('127.0.0.1', port));
    const saysSoon = async (connection: SshConnection, port: number, word: string) =>
      until(async () => (await says(connection, port).catch(() => '')) === word);
    const first = await serve('one');
    const standing = await loginAsDoor();
    try {
      await saysSoon(standing, first.port, 'one');
      await client.stop(first.id, { mode: 'kill', graceSeconds: 0, reason: 'terminated_by_user' }, soon());
      await waitFor(client, first.id, hasEnded);
      const second = await serve('two');
      const later = await loginAsDoor();
      try {
        await saysSoon(later, second.port, 'two');
        for (const port of [first.port, second.port, gatewayDoor.port])
          await expect(says(standing, port)).rejects.toThrow(/not open|refused|open failed|cannot open/);
        await expect(says(later, gatewayDoor.port)).rejects.toThrow();
      } finally {
        later.close();
      }
    } finally {
      standing.close();
      await client.desire([], soon());
    }
  });

  it('are skipped when they are no keys, and the job’s log tells it', async () => {
    const trick = `${person.publicKey.trim()}\nssh-rsa AAAA intruder`;
    const authorizedKeys = [`command="sh" ${person.publicKey}`, trick, person.publicKey];
    const started = job('while [ ! -e done ]; do sleep 0.05; done', { viaHost: { authorizedKeys } });
    await client.start(started, soon());
    await waitFor(client, started.id, canBeEntered);
    const lines = (await host.run(`cat ${KEYS}`)).split('\n').filter((line) => line !== '');
    expect(lines).toHaveLength(1);
    expect(await host.run(`grep -c intruder ${KEYS} || :`)).toBe('0\n');
    await client.stop(started.id, { mode: 'kill', graceSeconds: 0, reason: 'terminated_by_user' }, soon());
    await waitFor(client, started.id, hasEnded);
    const log = await readLog(client, started.id, 'runner');
    expect(log).toContain('public key 1 is no key');
    expect(log).toContain('public key 2 is no key');
  });

  it('are told not to work where sshd lets only others in', async () => {
    await host.configureSshd(['AllowUsers ops']);
    const started = job('true');
    await client.start(started, soon());
    await waitFor(client, started.id, hasEnded);
    expect(await readLog(client, started.id, 'runner')).toContain('put it into AllowUsers');
  });

  it('leave with the agent, and so does their user', async () => {
    await removeAgent(await fixture.request(host));
    expect(await host.run('id dstack-door 2>&1 || ls -d /var/lib/dstack* 2>&1 || :')).not.toContain('uid=');
    expect(await host.run('ls /var/lib')).not.toContain('dstack');
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  const due = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > due) throw new Error('not within 20 s');
    await delay(50);
  }
}
