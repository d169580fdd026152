import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobState } from '@dstack/agent-protocol';
import WebSocket from 'ws';
import { AgentProcess, waitForEnd, waitForState } from '../support/agent-process.js';
import { eventually } from '../support/eventually.js';
import { processJob } from '../support/job-builder.js';

const soon = (): AbortSignal => AbortSignal.timeout(10_000);

/** The user's own OpenSSH against the job's server. */
describe('SSH into a job', () => {
  let agent: AgentProcess;
  let keys: string;
  let state: JobState;
  const job = processJob('echo from the commands; while [ ! -e done ]; do sleep 0.1; done', {
    env: { MINE: 'of the job' },
  });

  const options = (): string[] => [
    ...['-i', join(keys, 'id'), '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
    ...['-o', 'LogLevel=ERROR', '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes'],
  ];
  const ssh = (...command: string[]): string =>
    execFileSync('ssh', [...options(), '-p', String(state.sshPort), 'anybody@127.0.0.1', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 15_000,
    }).toString();

  beforeAll(async () => {
    keys = mkdtempSync(join(tmpdir(), 'keys-'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, 'id')]);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, 'stranger')]);
    agent = await AgentProcess.start();
    const client = agent.client();
    const authorizedKeys = ['not a key', readFileSync(join(keys, 'id.pub'), 'utf8')];
    await client.start({ ...job, ssh: { authorizedKeys, listen: { host: '127.0.0.1', port: 0 } } }, soon());
    state = await waitForState(client, job.id, (at) => at.phase === 'running');
    client.close();
  });
  afterAll(async () => {
    await agent.close();
    rmSync(keys, { recursive: true });
  });

  it('runs a command as the job’s user, in its environment and directory', () => {
    const output = ssh('id -u; echo $MINE; pwd; echo $DSTACK_JOB_ID; exit 0');
    expect(output).toContain('of the job');
    expect(output).toContain(state.workingDir ?? 'no directory');
    expect(output).toContain(job.id);
    if (process.getuid?.() === 0) expect(output.split('\n')[0]).not.toBe('0');
  });

  it('passes on the exit status', () => {
    let status: unknown;
    try {
      ssh('exit 42');
    } catch (error) {
      status = (error as { status?: unknown }).status;
    }
    expect(status).toBe(42);
  });

  it('has a terminal when asked for one', () => {
    expect(ssh('-tt', 'tty')).toContain('/dev/pts/');
  });

  it('refuses a key that is not authorised', () => {
    const stranger = options().map((option) => (option === join(keys, 'id') ? join(keys, 'stranger') : option));
    expect(() =>
      execFileSync('ssh', [...stranger, '-p', String(state.sshPort), 'anybody@127.0.0.1', 'true'], { stdio: 'pipe' }),
    ).toThrow('Permission denied');
  });

  it('takes and gives files', () => {
    const content = Buffer.alloc(3_000_000, 'abc');
    writeFileSync(join(keys, 'up'), content);
    const batch = join(keys, 'batch');
    writeFileSync(
      batch,
      `put ${join(keys, 'up')} here\nmkdir d\nrename here d/there\nget d/there ${join(keys, 'down')}\nls -l d\n`,
    );
    const output = execFileSync('sftp', [...options(), '-P', String(state.sshPort), '-b', batch, 'x@127.0.0.1'], {
      stdio: 'pipe',
    });
    expect(readFileSync(join(keys, 'down')).equals(content)).toBe(true);
    expect(output.toString()).toContain('there');
    expect(ssh('wc -c < ~/d/there').trim()).toBe('3000000');
  });

  it('forwards ports to the job', async () => {
    const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const { port } = echo.address() as net.AddressInfo;
    const child = spawn('ssh', [...options(), '-p', String(state.sshPort), '-W', `localhost:${port}`, 'x@127.0.0.1']);
    child.stdin.write('through the tunnel');
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('through the tunnel');
    child.kill();
    echo.close();
  });

  it('opens a port of the job over the agent’s own socket', async () => {
    const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const client = agent.client();
    const stream = await client.openTcp(job.id, (echo.address() as net.AddressInfo).port, soon());
    stream.write('hello');
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('hello');
    stream.destroy();
    await expect(client.openTcp(job.id, 1, soon())).rejects.toThrow('nothing answers on port 1');
    client.close();
    echo.close();
  });

  it('shows the live terminal to 0.21 clients that forward port 10999, and lets it end with the job', async () => {
    const local = await freePort();
    const tunnel = spawn('ssh', [
      ...options(),
      '-N',
      '-p',
      String(state.sshPort),
      '-L',
      `${local}:localhost:10999`,
      'x@127.0.0.1',
    ]);
    let received = '';
    const socket = await eventually(
      () =>
        new Promise<WebSocket | undefined>((resolve) => {
          const attempt = new WebSocket(`ws://127.0.0.1:${local}/logs_ws`);
          // The history may come in the same packet as the answer to the upgrade.
          attempt.on('message', (data: Buffer) => (received += data.toString()));
          attempt.on('error', () => {
            resolve(undefined);
          });
          attempt.on('open', () => {
            resolve(attempt);
          });
        }),
    );
    await eventually(() => received.includes('from the commands'));
    ssh('touch done');
    await once(socket, 'close');
    tunnel.kill();
    const client = agent.client();
    expect(await waitForEnd(client, job.id)).toMatchObject({ reason: 'done_by_runner' });
    client.close();
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
