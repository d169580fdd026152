import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { freePort, SshFixture, untilListening } from './ssh-fixture.js';

describe('a server that is the only way in', () => {
  const place = mkdtempSync(join(tmpdir(), 'job-ssh-agent-'));
  const serverKey = join(place, 'server');
  const socketDir = join(place, 'sockets');
  let fixture: SshFixture;
  beforeAll(async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', serverKey]);
    fixture = await SshFixture.start({
      agentKeys: [readFileSync(`${serverKey}.pub`, 'utf8')],
      agent: { socketPath: '/run/agent.sock', serve: (stream) => stream.end('agent here') },
      socketDir,
      session: () => undefined,
    });
  });
  afterAll(async () => {
    await fixture.stop();
    rmSync(place, { recursive: true });
  });

  it.each([
    ['lets the server reach the agent', serverKey, 'agent here'],
    ['does not let a key of the job reach it', 'id', ''],
  ])('%s', async (_rule, key, expected) => {
    const port = await freePort();
    fixture.open('ssh', ['-N', '-L', `127.0.0.1:${port}:/run/agent.sock`, 'a@127.0.0.1'], key);
    await untilListening(port);
    expect(await readAll({ host: '127.0.0.1', port })).toBe(expected);
  });

  it('has no shell before the job has a place', async () => {
    expect((await fixture.ssh(['a@127.0.0.1', 'true'])).code).toBe(255);
  });

  it('makes a socket for a client in the one directory for that, and nowhere else', async () => {
    const target = net.createServer((socket) => socket.end('from afar'));
    target.listen(join(place, 'target.sock'));
    await once(target, 'listening');
    const path = join(socketDir, 'server.sock');
    fixture.open('ssh', ['-N', '-R', `${path}:${join(place, 'target.sock')}`, 'a@127.0.0.1']);
    const text = await eventually(async () => (await readAll({ path })) || undefined);
    expect(text).toBe('from afar');

    const args = ['-N', '-o', 'ExitOnForwardFailure=yes', '-R'];
    const again = await fixture.ssh([...args, `${path}:/dev/null`, 'a@127.0.0.1']);
    const elsewhere = await fixture.ssh([...args, `${join(place, 'x.sock')}:/dev/null`, 'a@127.0.0.1']);
    expect([again.code, elsewhere.code]).toEqual([255, 255]);
    target.close();
  });
});

/** All a peer says; nothing where nobody is. */
function readAll(where: net.NetConnectOpts): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    // Whoever comes while the way is being made may be left waiting; `eventually` asks again.
    const socket = net.connect(where).setTimeout(5_000, () => socket.destroy());
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      resolve(text);
    });
  });
}
