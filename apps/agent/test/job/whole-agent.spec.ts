import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createAgentClient, type HttpAgentClient } from '@dstack/agent-protocol';
import ssh2 from 'ssh2';
import { MAIN, readLog, waitForEnd, waitForState } from '../support/agent-process.js';
import { eventually } from '../support/eventually.js';
import { containerJob } from '../support/job-builder.js';

const soon = (): AbortSignal => AbortSignal.timeout(10_000);

/** Container backends have no host agent: the server reaches the job side by SSH alone. */
describe('the job side as the whole agent', () => {
  let dir: string;
  let child: ChildProcess;
  let port: number;
  let connection: ssh2.Client;
  let client: HttpAgentClient;

  const login = (key: string): Promise<ssh2.Client> =>
    new Promise((resolve, reject) => {
      const attempt = new ssh2.Client();
      attempt.on('ready', () => {
        resolve(attempt);
      });
      attempt.on('error', reject);
      attempt.connect({ host: '127.0.0.1', port, username: 'root', privateKey: readFileSync(join(dir, key)) });
    });
  const openAgent = (over: ssh2.Client): Promise<ssh2.ClientChannel> =>
    new Promise((resolve, reject) => {
      over.openssh_forwardOutStreamLocal(join(dir, 'job', 'job.sock'), (error, channel) => {
        if (error) reject(error);
        else resolve(channel);
      });
    });

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'whole-'));
    for (const key of ['server', 'user', 'gateway'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, key)]);
    port = await freePort();
    child = spawn(process.execPath, [MAIN, 'container', '--dir', join(dir, 'job')], {
      stdio: 'inherit',
      env: {
        PATH: process.env['PATH'],
        DSTACK_AGENT_SSH_LISTEN: `127.0.0.1:${port}`,
        DSTACK_AGENT_IMAGE_LD_LIBRARY_PATH: '/of/the/image',
        DSTACK_AGENT_AUTHORIZED_KEYS: readFileSync(join(dir, 'server.pub'), 'utf8'),
      },
    });
    connection = await eventually(() => login('server').catch(() => undefined));
    client = createAgentClient({ connect: () => openAgent(connection), epoch: 1 });
  });
  afterAll(() => {
    client.close();
    connection.end();
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true });
  });

  it('speaks the protocol over a channel of its SSH server', async () => {
    expect(await client.info(soon())).toMatchObject({ service: 'dstack-agent' });
  });

  it('runs its one job, lets the job’s keys in to the job but not to the agent, and those of its gateway to its port', async () => {
    const service = net.createServer((socket) => socket.end('the service')).listen(0, '127.0.0.1');
    await once(service, 'listening');
    const gatewayDoor = {
      authorizedKeys: [readFileSync(join(dir, 'gateway.pub'), 'utf8')],
      port: (service.address() as net.AddressInfo).port, // TCP
    };
    await expect(login('gateway')).rejects.toThrow();
    const job = containerJob('not used', 'echo hello $LD_LIBRARY_PATH; while [ ! -e done ]; do sleep 0.1; done', {
      workingDir: join(dir, 'work'),
      gatewayDoor,
      ssh: { authorizedKeys: [readFileSync(join(dir, 'user.pub'), 'utf8')] },
    });
    await client.start(job, soon());
    const running = await waitForState(client, job.id, (state) => state.phase === 'running');
    expect(running.servicePort).toBe(gatewayDoor.port);
    const gateway = await login('gateway');
    const dismissed = once(gateway, 'close');
    expect(await readPort(gateway, gatewayDoor.port)).toBe('the service');
    await expect(readPort(gateway, port)).rejects.toThrow();
    await expect(openAgent(gateway)).rejects.toThrow();
    const user = await login('user');
    await expect(openAgent(user)).rejects.toThrow();
    await new Promise<void>((resolve, reject) => {
      user.exec('touch done; env | grep DSTACK_AGENT_ || echo clean', (error, channel) => {
        if (error) reject(error);
        else {
          let output = '';
          channel.on('data', (chunk: Buffer) => (output += chunk.toString()));
          channel.on('close', () => {
            if (output.trim() === 'clean') resolve();
            else reject(new Error(output));
          });
        }
      });
    });
    user.end();
    const end = await waitForEnd(client, job.id);
    await dismissed;
    await expect(login('gateway')).rejects.toThrow();
    service.close();
    expect(end).toMatchObject({ reason: 'done_by_runner', exitStatus: 0 });
    expect(await readLog(client, job.id)).toBe('hello /of/the/image\r\n');
    await expect(client.start(containerJob('x', 'true'), soon())).rejects.toThrow('already has job');
  });
});

function readPort(over: ssh2.Client, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    over.forwardOut('', 0, '127.0.0.1', port, (error, channel) => {
      if (error) reject(error);
      else text(channel).then(resolve, reject);
    });
  });
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
