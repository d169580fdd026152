import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentProcess, waitForEnd, waitForState } from '../support/agent-process.js';
import { eventually } from '../support/eventually.js';
import { processJob } from '../support/job-builder.js';

const soon = (): AbortSignal => AbortSignal.timeout(10_000);

describe('a host that lost its server', () => {
  const dir = mkdtempSync(join(tmpdir(), 'power-off-'));
  const isOff = join(dir, 'off');
  const command = join(dir, 'power-off');
  let agent: AgentProcess;
  beforeAll(() => {
    writeFileSync(command, `#!/bin/sh\ntouch ${isOff}\n`);
    chmodSync(command, 0o755);
  });
  beforeEach(async () => {
    agent = await AgentProcess.start({ DSTACK_AGENT_POWER_OFF: command });
  });
  afterEach(async () => {
    await agent.close();
    rmSync(isOff, { force: true });
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('powers itself off once its job has ended, also when its agent was killed meanwhile', async () => {
    const client = agent.client();
    const job = processJob('exec sleep 1000');
    await client.start(job, soon());
    expect(await client.armPowerOff(0.5, soon())).toBe(true);
    client.close();
    await agent.kill();
    await agent.launch();
    const other = agent.client();
    await waitForState(other, job.id, ({ phase }) => phase === 'running');
    expect(existsSync(isOff)).toBe(false);
    await other.stop(job.id, { mode: 'kill', graceSeconds: null, reason: 'terminated_by_user' }, soon());
    await waitForEnd(other, job.id);
    other.close();
    await eventually(() => existsSync(isOff));
  });

  it('stays on when nobody told it otherwise, or does not any more', async () => {
    const client = agent.client();
    await client.armPowerOff(3600, soon());
    expect(existsSync(join(agent.dir, 'state', 'power-off.json'))).toBe(true);
    await client.armPowerOff(null, soon());
    expect(existsSync(join(agent.dir, 'state', 'power-off.json'))).toBe(false);
    client.close();
  });
});
