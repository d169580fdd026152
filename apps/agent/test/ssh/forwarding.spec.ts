import * as http from 'node:http';
import * as net from 'node:net';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { JobLogs } from '../../src/ssh/options.js';
import { freePort, SshFixture, untilListening } from './ssh-fixture.js';

describe('forwarding', () => {
  let fixture: SshFixture;
  let asked: (number | undefined)[] = [];
  let sayMore: () => void = () => undefined;
  const more = new Promise<void>((resolve) => {
    sayMore = resolve;
  });
  const logs: JobLogs = {
    async *tail(startTime) {
      asked.push(startTime);
      yield Buffer.from('history\r\n');
      await more;
      yield Buffer.from([0x1b, 0x5b, 0xff]);
    },
  };
  beforeAll(async () => {
    fixture = await SshFixture.start({ logs });
  });
  afterAll(() => fixture.stop());

  async function forward(target: string): Promise<number> {
    const port = await freePort();
    fixture.open('ssh', ['-N', '-L', `127.0.0.1:${port}:${target}`, 'a@127.0.0.1']);
    await untilListening(port);
    return port;
  }

  it('reaches an HTTP server of the job', async () => {
    const server = http.createServer((request, response) => {
      request.pipe(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = await forward(`localhost:${portOf(server)}`);
    const body = 'x'.repeat(1_000_000);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
    expect(await answer.text()).toBe(body);
    server.closeAllConnections();
    server.close();
  });

  it('closes a connection to where nothing listens', async () => {
    const port = await forward(`127.0.0.1:${await freePort()}`);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  it('still gives what the target says after the client has said all', async () => {
    const target = net.createServer({ allowHalfOpen: true }, (socket) => {
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.once('end', () => socket.end(`you said ${text}`));
    });
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    const done = await fixture.ssh(['-W', `127.0.0.1:${portOf(target)}`, 'a@127.0.0.1'], 'all');
    expect(done.stdout.toString()).toBe('you said all');
    target.close();
  });

  it('listens for the client, and stops with it', async () => {
    const server = http.createServer((_request, response) => response.end('from the client’s side'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = await freePort();
    const client = fixture.open('ssh', ['-N', '-R', `${port}:127.0.0.1:${portOf(server)}`, 'a@127.0.0.1']);
    await untilListening(port);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('from the client’s side');
    client.kill();
    await once(client, 'exit');
    server.closeAllConnections();
    server.close();
  });

  it('refuses to listen twice on a port', async () => {
    const taken = net.createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const args = ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', `${portOf(taken)}:127.0.0.1:1`, 'a@127.0.0.1'];
    const done = await fixture.ssh(args);
    expect(done.code).toBe(255);
    expect(done.stderr).toContain('remote port forwarding failed');
    taken.close();
  });

  it('answers the log socket of 0.21 clients: history, then live, then a normal end', async () => {
    const port = await forward('localhost:10999');
    expect(await (await fetch(`http://127.0.0.1:${port}/api/healthcheck`)).json()).toEqual({
      service: 'dstack-runner',
      version: '0.0.0',
    });
    asked = [];
    const url = `ws://127.0.0.1:${port}/logs_ws?start_time=2026-01-02T03:04:05.5%2B00:00`;
    const socket = new WebSocket(url);
    const frames: Buffer[] = [];
    socket.on('message', (data, isBinary) => {
      expect(isBinary).toBe(true);
      frames.push(data as Buffer);
      sayMore();
    });
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1000);
    expect(Buffer.concat(frames)).toEqual(Buffer.concat([Buffer.from('history\r\n'), Buffer.from([0x1b, 0x5b, 0xff])]));
    expect(asked).toEqual([Date.UTC(2026, 0, 2, 3, 4, 5, 500)]);
  });

  it('refuses a log socket with a time it cannot read', async () => {
    const port = await forward('localhost:10999');
    const socket = new WebSocket(`ws://127.0.0.1:${port}/logs_ws?start_time=yesterday`);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('400');
  });
});

function portOf(server: net.Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return address.port;
}
