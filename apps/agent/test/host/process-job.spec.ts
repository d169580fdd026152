import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { StaleEpochError } from '@dstack/agent-protocol';
import { AgentProcess, readLog, waitForEnd, waitForState } from '../support/agent-process.js';
import { processJob } from '../support/job-builder.js';

const soon = (): AbortSignal => AbortSignal.timeout(10_000);

describe('process jobs of a host agent', () => {
  let agent: AgentProcess;
  beforeAll(async () => {
    agent = await AgentProcess.start({ SECRET_OF_THE_SERVER: 'x' });
  });
  afterAll(async () => {
    await agent.close();
  });

  it.each([
    ['exit 0', { reason: 'done_by_runner', exitStatus: 0 }],
    ['exit 7', { reason: 'container_exited_with_error', exitStatus: 7 }],
    ['kill -TERM $$', { reason: 'container_exited_with_error', exitStatus: 143 }],
    ['kill -KILL $$', { reason: 'container_exited_with_error', exitStatus: 137 }],
  ])('reports how `%s` ended', async (script, expected) => {
    const client = agent.client();
    const job = processJob(script);
    await client.start(job, soon());
    expect(await waitForEnd(client, job.id)).toMatchObject(expected);
    client.close();
  });

  it('has every byte in the log when it says that the job has finished', async () => {
    const client = agent.client();
    const job = processJob('i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; printf end');
    await client.start(job, soon());
    const end = await waitForEnd(client, job.id);
    const log = await readLog(client, job.id);
    const expected = Array.from({ length: 5000 }, (_, i) => `line ${i}\r\n`).join('') + 'end';
    expect(log).toBe(expected);
    expect(end.logEnd?.job).toBe(expected.length);
    client.close();
  });

  it('gives a job a terminal, a clean environment and a directory of its own', async () => {
    const client = agent.client();
    const job = processJob('tty; env; pwd; id -u; ls -A; echo err > /dev/stderr', { env: { MINE: "it's mine" } });
    await client.start(job, soon());
    await waitForEnd(client, job.id);
    const log = await readLog(client, job.id);
    expect(log).toContain('/dev/pts/');
    expect(log).toContain("MINE=it's mine");
    expect(log).toContain(`DSTACK_JOB_ID=${job.id}`);
    expect(log).toContain('DSTACK_RUN_NAME=brave-fox-1');
    expect(log).not.toContain('SECRET_OF_THE_SERVER');
    expect(log).not.toContain('Permission denied');
    expect(log).toContain('err\r\n');
    client.close();
  });

  it('lets a trap handler say goodbye when it is stopped, and tells its exit status', async () => {
    const client = agent.client();
    const job = processJob('trap "echo goodbye; exit 3" INT; echo ready; while :; do sleep 0.05; done');
    await client.start(job, soon());
    await waitForState(client, job.id, (state) => state.phase === 'running');
    for await (const frame of client.logs(job.id, 'job', 0, 1024, soon())) {
      if (Buffer.from(frame.payload).includes('ready')) break;
    }
    await client.stop(job.id, { mode: 'graceful', graceSeconds: 10, reason: 'terminated_by_user' }, soon());
    const end = await waitForEnd(client, job.id);
    expect(end).toMatchObject({ reason: 'terminated_by_user', exitStatus: 3 });
    expect(await readLog(client, job.id)).toContain('goodbye');
    client.close();
  });

  // dash answers the interrupt itself and forgets the program's status; bash waits for it.
  it.each([
    ['/bin/sh', 130],
    ['/bin/bash', 4],
  ])('interrupts the program in the foreground of an interactive %s', async (shell, exitStatus) => {
    const client = agent.client();
    const program = `${process.execPath} -e 'process.on("SIGINT",()=>{console.log("goodbye");process.exit(4)});console.log("ready");setInterval(()=>{},1e3)'`;
    const job = processJob('', { commands: [shell, '-i', '-c', `true && ${program}`] });
    await client.start(job, soon());
    for await (const frame of client.logs(job.id, 'job', 0, 4096, soon())) {
      if (Buffer.from(frame.payload).includes('ready')) break;
    }
    await client.stop(job.id, { mode: 'graceful', graceSeconds: 10, reason: 'terminated_by_user' }, soon());
    expect(await waitForEnd(client, job.id)).toMatchObject({ reason: 'terminated_by_user', exitStatus });
    expect(await readLog(client, job.id)).toContain('goodbye');
    client.close();
  });

  // The status is the shell's own word for a program that died of an interrupt.
  it.each([
    ['/bin/sh', 130],
    ['/bin/bash', 1],
  ])(
    'does not leave an interactive %s at a prompt when its program dies of the interrupt',
    async (shell, exitStatus) => {
      const client = agent.client();
      const line = 'sh -c "echo ready; exec sleep 1000" && echo not this';
      const job = processJob('', { commands: [shell, '-i', '-c', line] });
      await client.start(job, soon());
      for await (const frame of client.logs(job.id, 'job', 0, 4096, soon())) {
        if (Buffer.from(frame.payload).includes('ready')) break;
      }
      await client.stop(job.id, { mode: 'graceful', graceSeconds: 10, reason: 'terminated_by_user' }, soon());
      expect(await waitForEnd(client, job.id)).toMatchObject({ reason: 'terminated_by_user', exitStatus });
      expect(await readLog(client, job.id)).not.toContain('not this');
      client.close();
    },
  );

  it('kills a job that ignores the interrupt once its grace period is over', async () => {
    const client = agent.client();
    const job = processJob('trap "" INT; echo ready; while :; do sleep 0.05; done');
    await client.start(job, soon());
    for await (const frame of client.logs(job.id, 'job', 0, 1024, soon())) {
      if (Buffer.from(frame.payload).includes('ready')) break;
    }
    await client.stop(job.id, { mode: 'graceful', graceSeconds: 0.2, reason: 'terminated_by_user' }, soon());
    expect(await waitForEnd(client, job.id)).toMatchObject({ reason: 'terminated_by_user', exitStatus: 137 });
    client.close();
  });

  it('ends a job at its max_duration', async () => {
    const client = agent.client();
    const job = processJob('sleep 100', { maxDurationSeconds: 0.3 });
    await client.start(job, soon());
    expect(await waitForEnd(client, job.id)).toMatchObject({ reason: 'max_duration_exceeded', exitStatus: 130 });
    client.close();
  });

  it('kills a job over its log quota', async () => {
    const client = agent.client();
    const job = processJob('yes', { logQuotaBytesPerHour: 10_000 });
    await client.start(job, soon());
    expect(await waitForEnd(client, job.id)).toMatchObject({ reason: 'log_quota_exceeded' });
    client.close();
  });

  it('waits for blobs, and refuses one whose content is not what its name says', async () => {
    const client = agent.client();
    const content = Buffer.alloc(1024);
    const blob = createHash('sha256').update(content).digest('hex');
    const job = processJob('echo ran', { files: [{ blob, path: 'here' }] });
    expect((await client.start(job, soon())).phase).toBe('waiting');
    await expect(client.uploadBlob(job.id, blob, Buffer.from('other'), soon())).rejects.toThrow('send it again');
    await client.uploadBlob(job.id, blob, content, soon());
    expect(await waitForEnd(client, job.id)).toMatchObject({ reason: 'done_by_runner' });
    client.close();
  });

  it('is idempotent by id, and removes what is not desired', async () => {
    const client = agent.client();
    const job = processJob('sleep 100');
    await client.start(job, soon());
    await client.start(job, soon());
    await waitForState(client, job.id, (state) => state.phase === 'running');
    const reply = await client.desire(['somebody-elses-job'], soon());
    expect(reply.missing).toEqual(['somebody-elses-job']);
    expect(readdirSync(agent.workDir)).toEqual([]);
    await client.remove(job.id, soon());
    client.close();
  });

  it('refuses an older epoch and ends its control stream', async () => {
    const older = agent.client(1);
    const newer = agent.client(2);
    const events = older.events(AbortSignal.timeout(10_000));
    await events.next();
    await newer.desire([], soon());
    // Whatever it still had to tell comes first.
    const untilItEnds = async (): Promise<void> => {
      while ((await events.next()).done !== true);
    };
    await expect(untilItEnds()).rejects.toThrow('broke');
    await expect(older.desire([], soon())).rejects.toThrow(StaleEpochError);
    older.close();
    newer.close();
  });
});
