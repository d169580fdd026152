import { existsSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { AgentRequestError, type HttpAgentClient } from '@dstack/agent-protocol';
import { AgentProcess, readLog, waitForEnd, waitForState } from '../support/agent-process.js';
import { processJob } from '../support/job-builder.js';

const soon = (): AbortSignal => AbortSignal.timeout(15_000);

/** What a program in a job does: asks the server something by the address it was given. */
const CALL = `
  const path = decodeURIComponent(new URL(process.env.DSTACK_SERVER_URL).host);
  const socket = require('net').connect(path, () => socket.end('question ' + process.argv[1]));
  socket.on('data', (answer) => console.log(String(answer)));`;

describe('a job that may reach the server', () => {
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

  const calling = (script: string) => {
    const job = processJob(script.replaceAll('CALL', `'${process.execPath}' -e '${CALL.replaceAll("'", '"')}'`), {
      serverAccess: true,
    });
    return { ...job, dir: `/tmp/dstack-${job.id}` };
  };
  const running = (id: string) => waitForState(client, id, (state) => state.phase === 'running');

  it('has its connections taken one by one, also those made before anybody asked', async () => {
    const job = calling('echo "$DSTACK_PROJECT"; CALL one; CALL two');
    await client.start(job, soon());
    await running(job.id);
    for (const number of ['one', 'two']) {
      const connection = await client.acceptServerConnection(job.id, soon());
      expect(await text(connection)).toBe(`question ${number}`);
      connection.end(`answer ${number}`);
    }
    expect(await waitForEnd(client, job.id)).toMatchObject({ exitStatus: 0 });
    expect(await readLog(client, job.id)).toBe('main\r\nanswer one\r\nanswer two\r\n');
  });

  it('ends though somebody waits for its connections, and leaves no socket', async () => {
    const job = calling(`read line < /dev/tty`);
    await client.start(job, soon());
    await running(job.id);
    expect(existsSync(`${job.dir}/server.sock`)).toBe(true);
    const waiting = client.acceptServerConnection(job.id, soon()).catch((error: unknown) => error);
    await client.stop(job.id, { mode: 'kill', graceSeconds: null, reason: 'terminated_by_user' }, soon());
    await waitForEnd(client, job.id);
    expect(await waiting).toBeInstanceOf(AgentRequestError);
    expect(existsSync(job.dir)).toBe(false);
    await expect(client.acceptServerConnection(job.id, soon())).rejects.toMatchObject({ code: 'not_found' });
  });

  it('speaks to the newest server only', async () => {
    const job = calling('CALL late');
    const newer = agent.client(2);
    await client.start(calling('true'), soon());
    await client.start({ ...job, commands: ['/bin/sh', '-c', `while [ ! -e "$HOME/go" ]; do sleep 0.1; done; ${job.commands[2] ?? ''}`] }, soon()); // prettier-ignore
    await running(job.id);
    const old = client.acceptServerConnection(job.id, soon()).catch((error: unknown) => error);
    await newer.desire([job.id], soon());
    expect(await old).toBeInstanceOf(Error);
    const taken: Promise<Duplex> = newer.acceptServerConnection(job.id, soon());
    taken.catch(() => undefined);
    await newer.stop(job.id, { mode: 'kill', graceSeconds: null, reason: 'terminated_by_user' }, soon());
    newer.close();
  });
});

it('gives other jobs no address of the server', async () => {
  const agent = await AgentProcess.start();
  const client = agent.client();
  try {
    const job = processJob('env; sleep 60');
    await client.start(job, soon());
    await waitForState(client, job.id, (state) => state.phase === 'running');
    await expect(client.acceptServerConnection(job.id, soon())).rejects.toMatchObject({ code: 'conflict' });
    await client.stop(job.id, { mode: 'kill', graceSeconds: null, reason: 'terminated_by_user' }, soon());
    await waitForEnd(client, job.id);
    expect(await readLog(client, job.id)).not.toContain('DSTACK_SERVER_URL');
  } finally {
    client.close();
    await agent.close();
  }
});
