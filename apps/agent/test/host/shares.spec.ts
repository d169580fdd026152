import { existsSync, globSync, readFileSync } from 'node:fs';
import type { HttpAgentClient, JobState } from '@dstack/agent-protocol';
import { JobCgroups } from '../../src/cgroup/job-cgroups.js';
import { AgentProcess, readLog, waitForEnd, waitForState } from '../support/agent-process.js';
import { eventually } from '../support/eventually.js';
import { processJob } from '../support/job-builder.js';

const soon = (): AbortSignal => AbortSignal.timeout(10_000);
const probe = await JobCgroups.open('00000000-probe');
const onHosts = probe === undefined ? describe.skip : describe;
if (probe === undefined) process.stderr.write('skipped: shares of process jobs: no control groups can be made here\n');

const MIB = 1024 ** 2;

onHosts('process jobs that share a host', () => {
  let agent: AgentProcess;
  let client: HttpAgentClient;
  beforeAll(async () => {
    agent = await AgentProcess.start();
    client = agent.client();
  });
  afterAll(async () => {
    client.close();
    await agent.close();
  });

  const groupsOf = (jobId: string): string[] => globSync(`/sys/fs/cgroup/**/${jobId}`);

  it('may use no more memory than their share, and say so', async () => {
    const limits = { cpus: 1, memoryBytes: 200 * MIB };
    const job = processJob('head -c 400000000 /dev/zero | tail | wc -c; exit 137', { limits });
    await client.start(job, soon());
    expect(await waitForEnd(client, job.id)).toMatchObject({
      exitStatus: 137,
      message: expect.stringContaining('raise `resources.memory`') as string,
    });
    expect(await readLog(client, job.id)).toContain('Killed');
    expect(groupsOf(job.id)).toEqual([]);
  });

  it('say so too when it does not even do for the agent of the job', async () => {
    const job = processJob('true', { limits: { memoryBytes: 8 * MIB } });
    await client.start(job, soon());
    expect(await waitForEnd(client, job.id)).toMatchObject({
      reason: 'executor_error',
      message: expect.stringContaining('raise `resources.memory`') as string,
    });
  });

  it('get their share of the processors', async () => {
    const job = processJob('timeout 2 sh -c "while :; do :; done"; exit 0', { limits: { cpus: 0.2 } });
    await client.start(job, soon());
    await waitForState(client, job.id, (state) => state.phase === 'running');
    const [group = ''] = groupsOf(job.id);
    const throttled = (): boolean =>
      globSync(`/sys/fs/cgroup/**/${job.id}/cpu.stat`).some((path) =>
        /^nr_throttled [1-9]/m.test(readFileSync(path, 'utf8')),
      );
    await eventually(throttled);
    await waitForEnd(client, job.id);
    expect(existsSync(group)).toBe(false);
  });

  it('never meet on a port, four at a time', async () => {
    const jobs = [1, 2, 3, 4].map(() =>
      processJob('sleep 1000', {
        limits: { cpus: 0.25, memoryBytes: 300 * MIB },
        ssh: { authorizedKeys: [], listen: { host: '127.0.0.1', port: 0 } },
      }),
    );
    await Promise.all(jobs.map((job) => client.start(job, soon())));
    const states: JobState[] = await Promise.all(
      jobs.map((job) =>
        waitForState(client, job.id, ({ phase, sshPort }) => phase === 'running' && sshPort !== undefined),
      ),
    );
    expect(new Set(states.map(({ sshPort }) => sshPort)).size).toBe(4);
    for await (const event of client.events(AbortSignal.timeout(20_000))) {
      if (event.type !== 'metrics') continue;
      // A node of its own at least, and no more than the share.
      expect(event.metrics.memoryUsageBytes).toBeGreaterThan(10 * MIB);
      expect(event.metrics.memoryUsageBytes).toBeLessThan(300 * MIB);
      break;
    }
    await client.desire([], soon());
    expect(jobs.flatMap(({ id }) => groupsOf(id))).toEqual([]);
  });
});
