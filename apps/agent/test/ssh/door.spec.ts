import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PortDoor } from '../../src/ssh/options.js';
import { SshFixture } from './ssh-fixture.js';

const SOCKETS = mkdtempSync(join(tmpdir(), 'job-ssh-sockets-'));

describe('a key that opens one port of the job', () => {
  const place = mkdtempSync(join(tmpdir(), 'job-ssh-door-'));
  const visitor = join(place, 'gateway');
  const services = [net.createServer(), net.createServer()];
  let ports: number[];
  let door: PortDoor | undefined;
  let fixture: SshFixture;

  beforeAll(async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', visitor]);
    ports = await Promise.all(
      services.map(async (service, index) => {
        service.on('connection', (socket) => socket.end(`service ${index}`));
        service.listen(0, '127.0.0.1');
        await once(service, 'listening');
        return (service.address() as net.AddressInfo).port; // TCP
      }),
    );
    fixture = await SshFixture.start({
      door: () => door,
      socketDir: SOCKETS,
    });
  });
  beforeEach(() => {
    door = { authorizedKeys: [readFileSync(`${visitor}.pub`, 'utf8')], port: ports[0] ?? 0 };
  });
  afterAll(async () => {
    await fixture.stop();
    for (const service of services) service.close();
    for (const directory of [place, SOCKETS]) rmSync(directory, { recursive: true });
  });

  const through = (host: string, port = 0, key = visitor) =>
    fixture.ssh(['-W', `${host}:${port}`, 'dstack-door@127.0.0.1'], '', key);

  it.each(['127.0.0.1', 'localhost', '[::1]'])('leads to it at %s, whichever loopback it listens on', async (host) => {
    expect((await through(host, ports[0])).stdout.toString()).toBe('service 0');
  });

  it('leads to no other port, and to no other machine', async () => {
    for (const [host, port] of [
      ['127.0.0.1', ports[1]],
      ['127.0.0.2', ports[0]],
    ] as const)
      // prettier-ignore
      expect(await through(host, port)).toMatchObject({ code: 255, stdout: Buffer.alloc(0) });
  });

  it.each<[string, string[]]>([
    ['no commands', ['a@127.0.0.1', 'true']],
    ['no ports of its own', ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:1', 'a@127.0.0.1']],
    [
      'no sockets of its own',
      ['-N', '-o', 'ExitOnForwardFailure=yes', '-R', `${SOCKETS}/x.sock:127.0.0.1:1`, 'a@127.0.0.1'],
    ],
  ])('has %s', async (_what, args) => {
    expect((await fixture.ssh(args, '', visitor)).code).toBe(255);
  });

  it('has no files', async () => {
    expect((await fixture.run('sftp', ['a@127.0.0.1'], 'ls\n', visitor)).code).not.toBe(0);
  });

  it('is nobody who works in the job', async () => {
    const login = fixture.open('ssh', ['-N', '-v', '-o', 'LogLevel=DEBUG', 'a@127.0.0.1'], visitor);
    let said = '';
    login.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    while (!said.includes('Entering interactive session')) await once(login.stderr ?? login, 'data');
    expect(fixture.server.connections()).toEqual([]);
    login.kill();
  });

  it('does not come in while the door is closed, and goes when it is', async () => {
    const login = fixture.open('ssh', ['-N', '-v', '-o', 'LogLevel=DEBUG', 'a@127.0.0.1'], visitor);
    let said = '';
    login.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    while (!said.includes('Entering interactive session')) await once(login.stderr ?? login, 'data');
    door = undefined;
    fixture.server.dismissVisitors();
    await once(login, 'exit');
    expect(await through('127.0.0.1', ports[0])).toMatchObject({
      code: 255,
      stderr: expect.stringContaining('Permission denied') as string,
    });
  });

  it('takes nothing from a key that is the job’s, too', async () => {
    door = { authorizedKeys: [readFileSync(join(fixture.dir, 'id.pub'), 'utf8')], port: ports[0] ?? 0 };
    expect((await fixture.ssh(['a@127.0.0.1', 'echo in'])).stdout.toString()).toBe('in\n');
    expect((await through('127.0.0.1', ports[1], 'id')).stdout.toString()).toBe('service 1');
  });
});
