import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunningCommand } from '../src/command.js';
import { freePort } from '../src/free-port.js';
import { isFullRun } from '../src/full-run.js';
import { canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

const run = promisify(execFile);

/** A server in the job that says the word to whoever connects; with nothing but perl. */
const serve = (port: number, word: string) =>
  `perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => ${port}, ReuseAddr => 1) or die $!; while ($c = $l->accept) { print $c "${word}"; close $c }'`;

const inFull = isFullRun ? it : it.skip;

describe('attached to a run', () => {
  const stack = new Stack();
  const attached: RunningCommand[] = [];
  beforeAll(() => stack.start());
  afterEach(async () => {
    for (const command of attached.splice(0)) {
      command.child.kill('SIGTERM');
      await command.done;
    }
  });
  afterAll(() => stack.close());

  const sshConfig = () => join(stack.home, '.dstack/ssh/config');
  const ssh = async (name: string, command: string) =>
    (await run('ssh', ['-F', sshConfig(), name, command], { timeout: 20_000 })).stdout;
  const start = async (name: string, text: string) => {
    stack.file(name, `name: ${name}\n${text}\n${SMALL}\n`);
    expect(await stack.cli(['apply', '-y', '-d', '-f', `${name}.dstack.yml`])).toMatchObject({ code: 0 });
  };
  /** Resolves when it is attached. */
  const attach = async (...args: string[]) => {
    const command = stack.startCli(['attach', ...args]);
    attached.push(command);
    await Promise.race([
      stack.until('the attachment', () => Promise.resolve(command.output().includes('Ctrl+C detaches'))),
      command.done.then((end) => Promise.reject(new Error(JSON.stringify(end)))),
    ]);
    return command;
  };
  const heard = (port: number) =>
    stack.until(`port ${port}`, async () => {
      const { stdout } = await run('perl', ['-MIO::Socket::INET', '-e', `$s = IO::Socket::INET->new("127.0.0.1:${port}") and print <$s>`]); // prettier-ignore
      return stdout !== '' && stdout;
    }); // prettier-ignore

  it('ssh, scp and sftp know a dev environment by name, its ports are here, and its IDE has a link', async () => {
    const [inside, outside] = [await freePort(), await freePort()];
    // The job asks for its own port only once we are attached: nothing of ours may be in its way.
    await start(
      'dev',
      `type: dev-environment\nide: vscode\nports: ["${outside}:${inside}"]\ninit:\n  - (while [ ! -e ~/go ]; do sleep 0.1; done; exec ${serve(inside, 'from the job')}) &`,
    );
    const command = await attach('dev');
    expect(command.output()).toContain(`localhost:${outside} -> ${inside}`);
    expect(command.output()).toMatch(/VS Code: vscode:\/\/vscode-remote\/ssh-remote\+dev\/\S+\n/);
    expect(await ssh('dev', 'echo "in $DSTACK_RUN_NAME"; touch ~/go')).toBe('in dev\n');
    expect(await heard(outside)).toBe('from the job');
    writeFileSync(join(stack.work, 'there.txt'), 'there and back\n');
    await run('scp', ['-q', '-F', sshConfig(), join(stack.work, 'there.txt'), 'dev:there.txt']);
    writeFileSync(join(stack.work, 'batch'), `get there.txt ${stack.work}/back.txt\n`);
    await run('sftp', ['-q', '-F', sshConfig(), '-b', join(stack.work, 'batch'), 'dev']);
    expect(readFileSync(join(stack.work, 'back.txt'), 'utf8')).toBe('there and back\n');
    expect(readFileSync(join(stack.home, '.ssh/config'), 'utf8')).toContain(`Include "${sshConfig()}"`);

    const other = await freePort();
    const second = await attach('dev', '-p', `${other}:${inside}`);
    expect(await heard(other)).toBe('from the job');
    command.child.kill('SIGINT');
    expect(await command.done).toMatchObject({ code: 0, stderr: expect.stringContaining('Detached') as string });
    expect(await ssh('dev', 'echo still here')).toBe('still here\n');

    await stack.killServer('SIGKILL');
    await stack.until('the notice', () => Promise.resolve(second.errors().includes('The server does not answer')));
    expect(await heard(other)).toBe('from the job');
    await stack.start();
    await stack.until('the end of the outage', () => Promise.resolve(second.errors().includes('The server answers again'))); // prettier-ignore

    await stack.cli(['stop', '-x', 'dev', '-y']);
    const end = await second.done;
    expect(end.stderr).toContain('Run dev: ');
    expect(end.code).toBe(0);
    expect(readFileSync(sshConfig(), 'utf8')).not.toContain('Host dev');
  });

  it('the connection is made again when it breaks', async () => {
    const [inside, outside] = [await freePort(), await freePort()];
    await start('cut', `type: task\nports: ["${outside}:${inside}"]\ncommands:\n  - ${serve(inside, 'hello')}`);
    const command = await attach('cut');
    expect(await heard(outside)).toBe('hello');
    const { stdout } = await run('pgrep', ['-f', `ssh -F ${sshConfig()}.*:${outside}:`]);
    process.kill(Number(stdout.trim().split('\n')[0]), 'SIGKILL');
    expect(await heard(outside)).toBe('hello');
    command.child.kill('SIGINT');
    await command.done;
    await stack.cli(['stop', '-x', 'cut', '-y']);
  });

  it('a port of a process is the machine’s own, and is left to it', async () => {
    const port = await freePort();
    const late = `while [ ! -e ~/go ]; do sleep 0.1; done; ${serve(port, 'mine')}`;
    await start('own', `type: task\nports: [${port}]\ncommands:\n  - ${late}`);
    const command = await attach('own');
    expect(command.output()).toContain(`Ports of the job, which is on this machine:\n  - localhost:${port}`);
    await ssh('own', 'touch ~/go');
    expect(await heard(port)).toBe('mine');
    await stack.cli(['stop', '-x', 'own', '-y']);
  });

  inFull(
    'who is attached is using a dev environment, which is stopped some time after the last has left',
    async () => {
      await start('used', 'type: dev-environment\ninactivity_duration: 20s');
      const command = await attach('used');
      const attachedAt = Date.now();
      const status = async () => (await stack.api<{ status: string }>('/api/project/main/runs/get', { run_name: 'used' })).status; // prettier-ignore
      await stack.until('45 s', async () => {
      expect(await status()).toBe('running');
      return Date.now() - attachedAt > 45_000;
    }, 60_000); // prettier-ignore
      command.child.kill('SIGINT');
      await command.done;
      await stack.until('the end', async () => (await status()) === 'failed', 60_000);
      expect(await stack.statusOf('used')).toMatch(/inactivity duration exceeded/);
    },
    120_000,
  );

  it('it waits for a run that does not run yet, says for what, and lets go', async () => {
    await start('later', 'type: task\nschedule: {cron: "0 0 1 1 *"}\ncommands: [date]');
    const command = stack.startCli(['attach', 'later']);
    await stack.until('the reason', () => Promise.resolve(/pending \(next run at 20\d\d-01-01/.test(command.errors())));
    command.child.kill('SIGINT');
    expect(await command.done).toMatchObject({ code: 0, stderr: expect.stringContaining('Detached') as string });
    await stack.cli(['stop', 'later', '-y']);
  });

  it('other nodes have their own names, and their own end', async () => {
    await start(
      'pair',
      'type: task\nnodes: 2\ncommands:\n  - if [ $DSTACK_NODE_RANK = 1 ]; then while [ ! -e ~/go ]; do sleep 0.1; done; exit 0; fi\n  - sleep 300',
    );
    const worker = await attach('pair', '--job', '1');
    expect(worker.output()).toContain('SSH: ssh pair-1-0');
    expect(await ssh('pair-1-0', 'echo rank $DSTACK_NODE_RANK; touch ~/go')).toBe('rank 1\n');
    expect(await worker.done).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Job job=1 of run pair: exited (0); the run goes on') as string,
    });
    const none = await stack.cli(['attach', 'pair', '--job', '7']);
    expect(none).toMatchObject({ code: 1, stderr: 'Run pair has no job job=7.\nSee its jobs: dstack ps -v\n' });
    await stack.cli(['stop', '-x', 'pair', '-y']);
  });

  (canRunContainers() ? it.each([TEST_IMAGE, 'dstack-test/busybox']) : it.skip.each(['']))(
    'a container of %s can be entered, with nothing installed in it',
    async (image) => {
      const name = image.replace(/\W/g, '-').replace('dstack-test', 'in');
      await start(name, `type: task\nimage: ${image}\ncommands: [sleep 300]`);
      await attach(name);
      expect(await ssh(name, 'echo "$DSTACK_RUN_NAME as $(id -u)"; test -f /.dockerenv && echo boxed')).toBe(
        `${name} as 0\nboxed\n`,
      );
      await stack.cli(['stop', '-x', name, '-y']);
    },
  );

  it('without an ssh client everything else works, and attach says what to do', async () => {
    const bin = join(stack.work, 'bin');
    mkdirSync(bin);
    for (const name of ['node', 'git', 'sh']) {
      const { stdout } = await run('sh', ['-c', `command -v ${name}`]);
      symlinkSync(stdout.trim(), join(bin, name));
    }
    expect(existsSync(join(bin, 'ssh'))).toBe(false);
    const env = { PATH: bin };
    stack.file('plain', `type: task\nname: plain\ncommands: [echo printed; sleep 300]\n${SMALL}\n`);
    const cli = (...args: string[]) => stack.cli(args, { env });
    expect((await cli('apply', '-y', '-d', '-f', 'plain.dstack.yml')).code).toBe(0);
    await stack.until('the log', async () => (await cli('logs', 'plain')).stdout.includes('printed'));
    expect((await cli('ps')).stdout).toContain('plain');
    const refused = await cli('attach', 'plain');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/needs an OpenSSH client[\s\S]*dstack logs -f/);
    expect((await cli('stop', '-x', 'plain', '-y')).code).toBe(0);
  });
});
