import { chmod, chown, stat } from 'node:fs/promises';
import * as net from 'node:net';
import { join } from 'node:path';
import { freePort, SshFixture, untilListening } from './ssh-fixture.js';

const UID = 54_321;
const GID = 54_322;
const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot('a server of root for a job of another user', () => {
  let fixture: SshFixture;
  beforeAll(async () => {
    fixture = await SshFixture.start({
      session: {
        env: { PATH: '/usr/bin:/bin', NODE_OPTIONS: '--no-such-option' },
        cwd: '/tmp',
        shell: '/bin/sh',
        home: '/tmp',
        uid: UID,
        gid: GID,
        groups: [GID, 54_323],
      },
    });
    await chmod(fixture.dir, 0o711);
  });
  afterAll(() => fixture.stop());

  it.each([['-T'], ['-tt']])('runs commands as that user, with its groups (%s)', async (terminal) => {
    const done = await fixture.ssh([terminal, 'a@127.0.0.1', 'id -u; id -G; echo $NODE_OPTIONS']);
    expect(done.stdout.toString().split(/\r?\n/)).toEqual([`${UID}`, `${GID} 54323`, '--no-such-option', '']);
  });

  it('serves files with that user’s rights', async () => {
    const name = `sftp-of-${process.pid}`;
    const put = await fixture.run('sftp', ['-b', '-', 'a@127.0.0.1'], `put ${fixture.dir}/id.pub /tmp/${name}\n`);
    expect(put).toMatchObject({ code: 0, stderr: '' });
    expect(await stat(`/tmp/${name}`)).toMatchObject({ uid: UID, gid: GID });
    expect(await fixture.run('sftp', ['-b', '-', 'a@127.0.0.1'], `rm /tmp/${name}\n`)).toMatchObject({ code: 0 });
    const forbidden = await fixture.run('sftp', ['-b', '-', 'a@127.0.0.1'], `get ${fixture.dir}/id /dev/null\n`);
    expect(forbidden.code).toBe(1);
    expect(forbidden.stderr).toContain('Permission denied');
  });

  it('opens a unix socket only where that user may', async () => {
    const path = join(fixture.dir, 'service.sock');
    const service = net.createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => service.listen(path, resolve));
    const port = await freePort();
    fixture.open('ssh', ['-N', '-L', `127.0.0.1:${port}:${path}`, 'a@127.0.0.1']);
    await untilListening(port);
    expect(await readAll(port)).toBe('');
    await chown(path, UID, GID);
    expect(await readAll(port)).toBe('hello');
    await new Promise((resolve) => service.close(resolve));
  });
});

function readAll(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = net.connect({ host: '127.0.0.1', port });
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      resolve(text);
    });
  });
}
