import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readLog, AgentProcess, waitForEnd, waitForState } from '../support/agent-process.js';
import { eventually } from '../support/eventually.js';
import { processJob } from '../support/job-builder.js';

const soon = (): AbortSignal => AbortSignal.timeout(10_000);

function jobSidePid(agent: AgentProcess, jobId: string): number {
  const record = JSON.parse(readFileSync(join(agent.dir, 'jobs', jobId, 'record.json'), 'utf8')) as {
    handle: { pid: number };
  };
  return record.handle.pid;
}

describe('what survives', () => {
  let agent: AgentProcess;
  beforeEach(async () => {
    agent = await AgentProcess.start();
  });
  afterEach(async () => {
    await agent.close();
  });

  it('a job goes on when the host agent is killed, and no byte of its log is lost or doubled', async () => {
    const before = agent.client();
    const job = processJob('i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); sleep 0.01; done');
    await before.start(job, soon());
    let text = '';
    let acknowledged = 0;
    for await (const frame of before.logs(job.id, 'job', 0, 65536, soon())) {
      text += Buffer.from(frame.payload).toString();
      acknowledged = frame.endOffset;
      if (text.includes('line 50')) break;
    }
    await before.acknowledgeLogs(job.id, 'job', acknowledged, soon());
    const agentId = (await before.info(soon())).agentId;
    await agent.kill();
    before.close();
    await agent.launch();

    const after = agent.client();
    expect((await after.info(soon())).agentId).toBe(agentId);
    expect(await waitForEnd(after, job.id)).toMatchObject({ reason: 'done_by_runner', exitStatus: 0 });
    text += await readLog(after, job.id, acknowledged);
    expect(text).toBe(Array.from({ length: 300 }, (_, i) => `line ${i}\r\n`).join(''));
    after.close();
  });

  it('a job that ended while no agent ran is reported by the next one', async () => {
    const before = agent.client();
    const job = processJob('sleep 0.3; echo last words; exit 9');
    await before.start(job, soon());
    await waitForState(before, job.id, (state) => state.phase === 'running');
    const pid = jobSidePid(agent, job.id);
    await agent.kill();
    before.close();
    await eventually(() => !existsSync(`/proc/${pid}`));
    await agent.launch();
    const after = agent.client();
    expect(await waitForEnd(after, job.id)).toMatchObject({ reason: 'container_exited_with_error', exitStatus: 9 });
    expect(await readLog(after, job.id)).toBe('last words\r\n');
    after.close();
  });

  it('a job whose own agent was killed is finished with a message, its processes are gone and its log can be read', async () => {
    const client = agent.client();
    const job = processJob('echo started; exec sleep 1000');
    await client.start(job, soon());
    for await (const frame of client.logs(job.id, 'job', 0, 1024, soon())) {
      if (Buffer.from(frame.payload).includes('started')) break;
    }
    process.kill(jobSidePid(agent, job.id), 'SIGKILL');
    const end = await waitForEnd(client, job.id);
    expect(end).toMatchObject({ reason: 'executor_error' });
    expect(end.message).toContain('died');
    expect(await readLog(client, job.id)).toBe('started\r\n');
    client.close();
  });

  it('a job that was lost with its host is reported, not started again', async () => {
    const before = agent.client();
    const job = processJob('echo ran; exec sleep 1000');
    await before.start(job, soon());
    for await (const frame of before.logs(job.id, 'job', 0, 1024, soon())) {
      if (Buffer.from(frame.payload).includes('ran')) break;
    }
    const pid = jobSidePid(agent, job.id);
    await agent.kill();
    process.kill(pid, 'SIGKILL');
    before.close();
    await eventually(() => !existsSync(`/proc/${pid}`));
    await agent.launch();
    const after = agent.client();
    expect(await waitForEnd(after, job.id)).toMatchObject({ reason: 'executor_error' });
    expect(await readLog(after, job.id)).toBe('ran\r\n');
    after.close();
  });

  it('the revision of a job rises over restarts of the agent', async () => {
    const before = agent.client();
    const job = processJob('sleep 1000');
    await before.start(job, soon());
    const running = await waitForState(before, job.id, (state) => state.phase === 'running');
    await agent.kill();
    before.close();
    await agent.launch();
    const after = agent.client();
    await after.stop(job.id, { mode: 'kill', graceSeconds: 0, reason: 'terminated_by_server' }, soon());
    const end = await waitForEnd(after, job.id);
    expect(end.revision).toBeGreaterThan(running.revision);
    expect(end).toMatchObject({ reason: 'terminated_by_server', exitStatus: 137 });
    after.close();
  });

  it('a stale epoch stays refused after a restart', async () => {
    const newer = agent.client(7);
    await newer.desire([], soon());
    newer.close();
    await agent.kill();
    await agent.launch();
    const older = agent.client(6);
    await expect(older.desire([], soon())).rejects.toMatchObject({ name: 'StaleEpochError', currentEpoch: 7 });
    older.close();
  });

  it('a job that prints without end is slowed, not the agent', async () => {
    const client = agent.client();
    const job = processJob('yes 0123456789012345678901234567890123456789', {
      logSpool: { maxBytes: 4 * 1024 * 1024, whenFull: 'block' },
    });
    await client.start(job, soon());
    for await (const frame of client.logs(job.id, 'job', 0, 1024 * 1024, AbortSignal.timeout(20_000))) {
      await client.acknowledgeLogs(job.id, 'job', frame.endOffset, soon());
      if (frame.endOffset > 30 * 1024 * 1024) break;
    }
    const rssKib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'))?.[1]);
    expect(rssKib).toBeLessThan(250 * 1024);
    const jobRssKib = Number(
      /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${jobSidePid(agent, job.id)}/status`, 'utf8'))?.[1],
    );
    expect(jobRssKib).toBeLessThan(250 * 1024);
    await client.stop(job.id, { mode: 'graceful', graceSeconds: 5, reason: 'terminated_by_user' }, soon());
    expect(await waitForEnd(client, job.id)).toMatchObject({ reason: 'terminated_by_user' });
    client.close();
  }, 60_000);
});
