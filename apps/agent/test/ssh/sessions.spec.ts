import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { SshFixture } from './ssh-fixture.js';

describe('a session over the real ssh client', () => {
  let fixture: SshFixture;
  beforeAll(async () => {
    fixture = await SshFixture.start();
  });
  afterAll(() => fixture.stop());

  it('runs a command in the job’s environment and directory, and gives its output and exit status', async () => {
    const done = await fixture.ssh(['anyone@127.0.0.1', 'echo "$JOB_NAME in $PWD"; echo trouble >&2; exit 7']);
    expect(done.stdout.toString()).toBe(`my job in ${fixture.dir}\n`);
    expect(done.stderr).toBe('trouble\n');
    expect(done.code).toBe(7);
  });

  it.each(['rsa', 'ecdsa'])('lets in a holder of an authorized %s key', async (key) => {
    expect((await fixture.ssh(['a@127.0.0.1', 'true'], '', key)).code).toBe(0);
  });

  it('refuses another key, and names the only method there is', async () => {
    const done = await fixture.ssh(['a@127.0.0.1', 'true'], '', 'stranger');
    expect(done.code).toBe(255);
    expect(done.stderr).toContain('Permission denied (publickey)');
  });

  it('tells of a signal that ended the command', async () => {
    const done = await fixture.ssh(['-o', 'LogLevel=VERBOSE', 'a@127.0.0.1', 'kill -KILL $$']);
    expect(done.code).toBe(255);
    expect(done.stderr + done.stdout.toString()).not.toContain('exit-status');
  });

  it('carries 50 MB through stdin and stdout unchanged', async () => {
    const bytes = randomBytes(50_000_000);
    const done = await fixture.ssh(['a@127.0.0.1', 'cat'], bytes);
    expect(done.code).toBe(0);
    expect(done.stdout.equals(bytes)).toBe(true);
  }, 120_000);

  it('keeps stdout and stderr whole when both are larger than the client’s window', async () => {
    const command = 'head -c 6000000 /dev/zero & head -c 6000000 /dev/zero >&2; wait';
    const done = await fixture.ssh(['a@127.0.0.1', command]);
    expect([done.code, done.stdout.length, done.stderr.length]).toEqual([0, 6_000_000, 6_000_000]);
  }, 60_000);

  it('gives a shell with a terminal, the job’s programs first', async () => {
    const done = await fixture.ssh(['-tt', 'a@127.0.0.1'], 'echo "<$PATH>"; tty; exit 5\n');
    expect(done.stdout.toString()).toContain('</job/bin:/usr/bin:/bin:');
    expect(done.stdout.toString()).toMatch(/\/dev\/pts\/\d+/);
    expect(done.code).toBe(5);
  });

  it('runs a command with a terminal', async () => {
    const done = await fixture.ssh(['-tt', 'a@127.0.0.1', 'test -t 0 && echo terminal; exit 3']);
    expect([done.code, done.stdout.toString()]).toEqual([3, 'terminal\r\n']);
  });

  it('takes over how the client wants text shown, and nothing else', async () => {
    const args = ['-o', 'SetEnv=LC_TEST=yes LD_PRELOAD=evil', 'a@127.0.0.1', 'echo "<$LC_TEST><$LD_PRELOAD>"'];
    expect((await fixture.ssh(args)).stdout.toString()).toBe('<yes><>\n');
  });

  it('ends what a client left running when it goes', async () => {
    const client = fixture.open('ssh', ['a@127.0.0.1', 'echo $$; exec sleep 1000']);
    const stdout = client.stdout;
    if (stdout === null) throw new Error('no stdout');
    const [line] = (await once(stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    client.kill('SIGKILL');
    await eventually(() => !isRunning(pid));
  });

  it('lists who is connected', async () => {
    const client = fixture.open('ssh', ['a@127.0.0.1', 'echo ready; exec sleep 1000']);
    if (client.stdout === null) throw new Error('no stdout');
    await once(client.stdout, 'data');
    const [connection, ...others] = fixture.server.connections();
    expect(others).toEqual([]);
    expect(connection?.key).toMatch(/^SHA256:/);
    expect(connection?.openedAt).toBeLessThanOrEqual(Date.now());
    client.kill('SIGKILL');
    await eventually(() => fixture.server.connections().length === 0);
  });

  it('keeps its host key to itself', () => {
    expect(statSync(join(fixture.dir, 'keys', 'host')).mode & 0o777).toBe(0o600);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
