import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AgentProcess, readLog, waitForEnd, waitForState } from '../support/agent-process.js';
import { processJob } from '../support/job-builder.js';

const soon = (): AbortSignal => AbortSignal.timeout(10_000);
const asRoot = process.getuid?.() === 0 ? describe : describe.skip;
if (process.getuid?.() !== 0) process.stderr.write('skipped: isolation of process jobs: needs root\n');

asRoot('process jobs under a root agent', () => {
  let agent: AgentProcess;
  beforeAll(async () => {
    agent = await AgentProcess.start();
  });
  afterAll(async () => {
    await agent.close();
  });

  it('can read neither the agent’s directory nor another job’s, and have an uid each', async () => {
    const client = agent.client();
    const first = processJob('id -u; echo secret > mine; sleep 1000');
    await client.start(first, soon());
    const running = await waitForState(client, first.id, (state) => state.phase === 'running');
    const second = processJob(
      `id -u; id -G; ls ${agent.dir}; ls ${agent.workDir}; cat ${running.workingDir}/mine; cat ${agent.dir}/jobs/${first.id}/record.json; echo over`,
    );
    await client.start(second, soon());
    await waitForEnd(client, second.id);
    const log = await readLog(client, second.id);
    const [uid = '', groups = ''] = log.split('\r\n');
    expect(groups).toBe(uid);
    expect(Number(uid)).toBeGreaterThan(65535);
    expect(log.match(/Permission denied/g)).toHaveLength(4);
    expect(log).not.toContain('secret');
    let firstLog = '';
    for await (const frame of client.logs(first.id, 'job', 0, 1024, soon())) {
      firstLog += Buffer.from(frame.payload).toString();
      if (firstLog.includes('\n')) break;
    }
    expect(firstLog.split('\r\n')[0]).not.toBe(uid);
    await client.remove(first.id, soon());
    client.close();
  });

  it('have a name that no file of the host knows', async () => {
    const before = [readFileSync('/etc/passwd', 'utf8'), readFileSync('/etc/group', 'utf8')];
    const client = agent.client();
    const job = processJob(
      'id -un; id -gn; eval echo ~$(id -un); ssh -F /dev/null -o BatchMode=yes -p 1 127.0.0.1; stat -c %U /etc/passwd; echo $USER',
    );
    await client.start(job, soon());
    const { username } = await waitForEnd(client, job.id);
    const log = (await readLog(client, job.id)).split('\r\n');
    const [user = '', group = '', home = ''] = log;
    expect({ user, group, home, username }).toEqual({
      user: expect.stringMatching(/^dstack/) as string,
      group: user,
      home: `${agent.workDir}/${job.id}/home`,
      username: user,
    });
    expect(log.slice(3)).toEqual([expect.stringContaining('Connection refused'), 'root', user, '']);
    expect([readFileSync('/etc/passwd', 'utf8'), readFileSync('/etc/group', 'utf8')]).toEqual(before);
    client.close();
  });

  const blob = Buffer.alloc(1024);
  const sha256 = createHash('sha256').update(blob).digest('hex');
  it.each([
    ['a file outside its directory', { files: [{ blob: sha256, path: '/etc/dstack-test' }] }, 'outside the job'],
    ['a new directory outside its own', { workingDir: '/srv/dstack-test/new' }, 'outside the job'],
    ['root', { user: 'root' }, 'cannot choose its user'],
  ])('refuse %s', async (_what, overrides, message) => {
    const client = agent.client();
    const job = processJob('true', overrides);
    await client.start(job, soon());
    if ('files' in overrides) await client.uploadBlob(job.id, sha256, blob, soon());
    const end = await waitForEnd(client, job.id);
    expect(end.reason).toBe('executor_error');
    expect(end.message).toContain(message);
    client.close();
  });
});
