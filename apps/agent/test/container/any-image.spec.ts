import { execFileSync } from 'node:child_process';
import { AgentProcess, readLog, waitForEnd, waitForState } from '../support/agent-process.js';
import { describeInImage, FOLDER } from '../support/engine.js';
import { containerJob } from '../support/job-builder.js';

const soon = (): AbortSignal => AbortSignal.timeout(30_000);
const withFolder = { DSTACK_AGENT_FOLDER: FOLDER };

for (const image of ['dstack-test/debian', 'dstack-test/old', 'dstack-test/busybox', 'dstack-test/musl']) {
  describeInImage(image, `a job in ${image}`, () => {
    let agent: AgentProcess;
    beforeAll(async () => {
      agent = await AgentProcess.start(withFolder);
    });
    afterAll(async () => {
      await agent.close();
    });

    it('has a terminal, its environment and no trace of the agent’s libraries', async () => {
      const client = agent.client();
      const job = containerJob(image, 'tty; env; pwd; exit 5', { env: { MINE: 'yes' } });
      await client.start(job, soon());
      const end = await waitForEnd(client, job.id, 40_000);
      expect(end).toMatchObject({ reason: 'container_exited_with_error', exitStatus: 5, workingDir: '/' });
      const log = await readLog(client, job.id);
      expect(log).toContain('/dev/pts/');
      expect(log).toContain('MINE=yes\r\n');
      expect(log).toContain(`DSTACK_JOB_ID=${job.id}\r\n`);
      expect(log).not.toContain('LD_LIBRARY_PATH');
      expect(log).not.toContain('dstack-agent');
      client.close();
    }, 60_000);

    it('says goodbye when it is stopped', async () => {
      const client = agent.client();
      const job = containerJob(image, 'trap "echo goodbye; exit 3" INT; echo ready; while :; do sleep 0.1; done');
      await client.start(job, soon());
      for await (const frame of client.logs(job.id, 'job', 0, 4096, soon())) {
        if (Buffer.from(frame.payload).includes('ready')) break;
      }
      await client.stop(job.id, { mode: 'graceful', graceSeconds: 10, reason: 'terminated_by_user' }, soon());
      expect(await waitForEnd(client, job.id)).toMatchObject({ reason: 'terminated_by_user', exitStatus: 3 });
      expect(await readLog(client, job.id)).toContain('goodbye');
      client.close();
    }, 60_000);
  });
}

describeInImage('dstack-test/debian', 'the container runtime', () => {
  let agent: AgentProcess;
  beforeEach(async () => {
    agent = await AgentProcess.start(withFolder);
  });
  afterEach(async () => {
    await agent.close();
  });

  it('adopts a running container after the host agent was killed', async () => {
    const before = agent.client();
    const job = containerJob(
      'dstack-test/debian',
      'i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); sleep 0.05; done',
    );
    await before.start(job, soon());
    await waitForState(before, job.id, (state) => state.phase === 'running', 40_000);
    await agent.kill();
    before.close();
    await agent.launch();
    const after = agent.client();
    expect(await waitForEnd(after, job.id)).toMatchObject({ reason: 'done_by_runner' });
    expect(await readLog(after, job.id)).toBe(Array.from({ length: 100 }, (_, i) => `line ${i}\r\n`).join(''));
    after.close();
  }, 60_000);

  it('reports a container that somebody killed', async () => {
    const client = agent.client();
    const job = containerJob('dstack-test/debian', 'sleep 1000');
    await client.start(job, soon());
    await waitForState(client, job.id, (state) => state.phase === 'running', 40_000);
    const id = execFileSync('docker', ['ps', '-q', '--filter', `label=ai.dstack.job=${job.id}`])
      .toString()
      .trim();
    execFileSync('docker', ['kill', id]);
    expect(await waitForEnd(client, job.id)).toMatchObject({ reason: 'executor_error' });
    client.close();
  }, 60_000);

  it('says why an image cannot be had', async () => {
    const client = agent.client();
    const job = containerJob('localhost:1/no-such-image:1', 'true');
    await client.start(job, soon());
    const end = await waitForEnd(client, job.id);
    expect(end.reason).toBe('creating_container_error');
    expect(end.message).toContain('cannot pull image localhost:1/no-such-image:1: Get ');
    client.close();
  }, 60_000);

  it('runs four jobs side by side, each with a port of its own, and says whose memory ran out', async () => {
    const client = agent.client();
    const share = (script: string) =>
      containerJob('dstack-test/debian', script, {
        container: { image: 'dstack-test/debian', privileged: false, network: 'bridge', mounts: [] },
        limits: { cpus: 0.5, memoryBytes: 200 * 1024 ** 2 },
        ssh: { authorizedKeys: [], listen: { host: '127.0.0.1', port: 0 } },
      });
    const jobs = [1, 2, 3].map(() => share('sleep 1000'));
    const greedy = share(
      'while [ ! -e /go ]; do sleep 0.1; done; head -c 400000000 /dev/zero | tail | wc -c; exit 137',
    );
    for (const job of [...jobs, greedy]) await client.start(job, soon());
    const states = await Promise.all(
      [...jobs, greedy].map((job) =>
        waitForState(client, job.id, ({ phase, sshPort }) => phase === 'running' && sshPort !== undefined, 50_000),
      ),
    );
    expect(new Set(states.map(({ sshPort }) => sshPort)).size).toBe(4);
    const [id = ''] = execFileSync('docker', ['ps', '-q', '--filter', `label=ai.dstack.job=${greedy.id}`])
      .toString()
      .split('\n');
    execFileSync('docker', ['exec', id, 'touch', '/go']);
    expect(await waitForEnd(client, greedy.id)).toMatchObject({
      exitStatus: 137,
      message: expect.stringContaining('raise `resources.memory`') as string,
    });
    client.close();
  }, 90_000);

  it('keeps limits, shared memory, user and a port of a bridged job', async () => {
    const client = agent.client();
    const job = containerJob(
      'dstack-test/debian',
      'id -u; df -k /dev/shm | tail -1; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; touch $HOME/x; sleep 1000',
      {
        container: {
          image: 'dstack-test/debian',
          privileged: false,
          network: 'bridge',
          mounts: [],
          shmBytes: 33_554_432,
        },
        limits: { cpus: 1, memoryBytes: 268_435_456 },
        user: 'nobody',
        workingDir: '/srv/new/dir',
      },
    );
    await client.start(job, soon());
    const running = await waitForState(client, job.id, (state) => state.phase === 'running', 40_000);
    expect(running).toMatchObject({ username: 'nobody', workingDir: '/srv/new/dir' });
    let log = '';
    for await (const frame of client.logs(job.id, 'job', 0, 65536, soon())) {
      log += Buffer.from(frame.payload).toString();
      if (log.includes('268435456')) break;
    }
    expect(log).toContain('65534\r\n');
    expect(log).toContain('32768');
    await client.remove(job.id, soon());
    expect(execFileSync('docker', ['ps', '-aq', '--filter', `label=ai.dstack.job=${job.id}`]).toString()).toBe('');
    client.close();
  }, 60_000);
});
