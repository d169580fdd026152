import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AgentProcess, MAIN, waitForState } from '../support/agent-process.js';
import { eventually } from '../support/eventually.js';
import { processJob } from '../support/job-builder.js';

const run = promisify(execFile);
const purge = (dir: string) =>
  run(process.execPath, [MAIN, 'purge', '--dir', dir], { env: { ...process.env, NODE_OPTIONS: '' } });

describe('a purge', () => {
  it('ends what an agent that is no more has left running, and removes its files', async () => {
    const agent = await AgentProcess.start();
    const client = agent.client();
    const signal = AbortSignal.timeout(20_000);
    const job = processJob('setsid sleep 4321 & echo $! > pid; exec sleep 4321');
    await client.start(job, signal);
    await waitForState(client, job.id, (state) => state.phase === 'running');
    client.close();
    await expect(purge(agent.dir)).rejects.toThrow('stop it first');
    await agent.kill();
    expect(await carriersOf(job.id)).not.toEqual('');
    await purge(agent.dir);
    expect(await carriersOf(job.id)).toEqual('');
    expect(readdirSync(join(agent.dir, 'jobs'))).toEqual([]);
    expect(existsSync(join(agent.workDir, job.id))).toBe(false);
    await agent.close();
  });

  it('of a directory without an agent is nothing', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'agent-'));
    await purge(dir);
    rmSync(dir, { recursive: true });
  });
});

(process.getuid?.() === 0 ? it : it.skip)('--socket-user gives the socket away and opens nothing else', async () => {
  const agent = await AgentProcess.start({}, ['--socket-user', '12345']);
  try {
    // The agent listens a moment before it gives its socket away.
    await eventually(() => statSync(agent.socket).uid === 12345);
    expect(statSync(agent.dir).mode & 0o777).toBe(0o711);
    expect(statSync(agent.socket)).toMatchObject({ uid: 12345, gid: 0 });
    expect(statSync(agent.socket).mode & 0o777).toBe(0o600);
    for (const name of ['state', 'jobs']) expect(statSync(join(agent.dir, name)).mode & 0o077).toBe(0);
  } finally {
    await agent.close();
  }
});

/** The processes with the job's id in their environment. */
async function carriersOf(jobId: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', `grep -ls DSTACK_JOB_ID=${jobId} /proc/[0-9]*/environ || :`]);
  return stdout;
}
