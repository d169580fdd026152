import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../src/free-port.js';
import { startGitServer } from '../src/git-over-ssh.js';
import { isFullRun } from '../src/full-run.js';
import { type PostgresServer, startPostgres } from '../src/postgres.js';
import { canRunContainers, TEST_IMAGE } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

const postgres: PostgresServer | undefined = await startPostgres(20_000 + (process.pid % 20_000));
afterAll(() => postgres?.stop());

const places: [string, { serverEnv: NodeJS.ProcessEnv; image: string }][] = [];
for (const [database, serverEnv] of [
  ['SQLite', {}],
  ['Postgres', postgres && { DSTACK_DATABASE_URL: postgres.url }],
] as const) {
  if (serverEnv === undefined) continue;
  // All four in the full run; each way and each database once otherwise.
  if (isFullRun || database === 'SQLite') places.push([`as processes, ${database}`, { serverEnv, image: '' }]);
  if (canRunContainers() && (isFullRun || database === 'Postgres'))
    places.push([`in containers, ${database}`, { serverEnv, image: `image: ${TEST_IMAGE}` }]);
}

describe.each(places)('jobs of a user on one machine, %s', (_place, { serverEnv, image }) => {
  const stack = new Stack(serverEnv);
  beforeAll(() => stack.start());
  afterAll(() => stack.close());

  const task = (name: string, commands: string, rest = '') =>
    stack.file(name, `type: task\nname: ${name}\ncommands:\n${commands}\n${SMALL}\n${image}\n${rest}\n`);
  const apply = (name: string, ...more: string[]) => stack.cli(['apply', '-y', '-f', `${name}.dstack.yml`, ...more]);
  const statusOf = (name: string) => stack.statusOf(name);

  it('runs a task, shows its log and ends with 0', async () => {
    task('hello', '  - echo "hello from $DSTACK_RUN_NAME"');
    const result = await apply('hello');
    expect(result.stdout).toContain('hello from hello');
    expect(result.code).toBe(0);
    expect(await statusOf('hello')).toContain('exited (0)');
    expect((await stack.cli(['logs', 'hello'])).stdout).toContain('hello from hello');
  });

  it("passes the job's exit code on", async () => {
    task('fails', '  - echo before\n  - exit 7\n  - echo never');
    const result = await apply('fails');
    expect(result.code).toBe(7);
    expect(result.stdout).toContain('before');
    expect(result.stdout).not.toContain('never\n');
    expect(await statusOf('fails')).toContain('exited (7)');
  });

  it('gives a stopped task the time to finish, and keeps what it printed', async () => {
    task(
      'trapped',
      `  - |
    trap 'echo caught; sleep 1; echo saved; exit 0' INT
    echo ready
    while true; do sleep 0.1; done`,
      'stop_duration: 20s',
    );
    await apply('trapped', '-d');
    await stack.until('the task to be ready', async () =>
      (await stack.cli(['logs', 'trapped'])).stdout.includes('ready'),
    );
    expect((await stack.cli(['stop', 'trapped', '-y'])).code).toBe(0);
    await stack.until('the run to end', async () => /stopped|exited|terminated/.test(await statusOf('trapped')));
    expect((await stack.cli(['logs', 'trapped'])).stdout).toMatch(/ready[\s\S]*caught[\s\S]*saved/);
  });

  it('aborts at once', async () => {
    task('stubborn', `  - trap '' INT TERM; echo ready; while true; do sleep 0.1; done`);
    await apply('stubborn', '-d');
    await stack.until('the task to be ready', async () =>
      (await stack.cli(['logs', 'stubborn'])).stdout.includes('ready'),
    );
    await stack.cli(['stop', '-x', 'stubborn', '-y']);
    await stack.until('the run to end', async () => /aborted|terminated/.test(await statusOf('stubborn')), 15_000);
  });

  it('ends a task at its max_duration', async () => {
    task('slow', '  - echo started; sleep 300', 'max_duration: 2s');
    const result = await apply('slow');
    expect(result.code).not.toBe(0);
    expect(result.stdout + result.stderr).toMatch(/max[ _]duration/);
  });

  it('gives env and secrets to the job, and secrets to nobody else', async () => {
    await stack.cli(['secret', 'set', 'api_key', 'sesame-4711']);
    task(
      'with-env',
      '  - test "$(echo "$KEY" | rev)" = 1174-emases && echo "the key is right, GREETING=$GREETING"',
      'env:\n  - GREETING=hi\n  - KEY=${{ secrets.api_key }}',
    );
    const result = await apply('with-env');
    expect(result.stdout).toContain('the key is right, GREETING=hi');
    expect(JSON.stringify(await stack.api('/api/project/main/runs/get', { run_name: 'with-env' }))).not.toContain(
      'sesame-4711',
    );
    expect(stack.serverLog()).not.toContain('sesame-4711');
  });

  it('brings files, a repository and the work in it that is not committed', async () => {
    const dir = join(stack.work, 'git');
    mkdirSync(dir);
    const port = await freePort();
    const server = startGitServer(dir, port);
    if (!server) return console.warn('no sshd on this machine: a repository over ssh is not tried');
    try {
      const repo = join(stack.work, 'repo');
      mkdirSync(repo);
      const ssh = `ssh -F /dev/null -i ${server.identity} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null`;
      const git = (...args: string[]) =>
        execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
          cwd: repo,
          stdio: 'pipe',
          env: { ...process.env, GIT_SSH_COMMAND: ssh },
        });
      execFileSync('git', ['init', '-q', '--bare', '-b', 'main', join(dir, 'origin.git')]);
      git('init', '-q', '-b', 'main');
      writeFileSync(join(repo, 'tracked.txt'), 'committed\n');
      git('add', '.');
      git('commit', '-qm', 'first');
      git('remote', 'add', 'origin', server.url('origin.git'));
      await stack.until('the git server', async () => {
        try {
          git('push', '-qu', 'origin', 'main');
          return true;
        } catch {
          return false;
        }
      });
      writeFileSync(join(repo, 'tracked.txt'), 'changed here\n');
      writeFileSync(join(repo, 'new.txt'), 'not yet added\n');
      writeFileSync(join(stack.work, 'data.txt'), 'file content\n');
      // The image starts in /, which is not empty; it has git and no ssh.
      const place = image === '' ? 'repos: ["."]' : `${image}\nrepos: [".:/srv/repo"]\nworking_dir: /srv/repo`;
      writeFileSync(
        join(repo, 'run.dstack.yml'),
        `type: task\nname: with-repo\n${place}\nfiles: ["../data.txt:input/data.txt"]\ncommands: ["cat tracked.txt new.txt input/data.txt", "git rev-parse --abbrev-ref HEAD"]\n${SMALL}\n`,
      );
      const result = await stack.cli(['apply', '-y', '-f', 'run.dstack.yml', '--git-identity', server.identity], {
        cwd: repo,
      });
      expect(result.stderr).not.toContain('Failed');
      expect(result.stdout.replaceAll('\r', '')).toMatch(/changed here\nnot yet added\nfile content\nmain\n/);
      expect(result.code).toBe(0);
    } finally {
      server.stop();
    }
  });

  it('stores 100,000 lines complete and in order', async () => {
    task('chatty', '  - seq -f "line %07g" 1 100000');
    expect((await apply('chatty', '-d')).code).toBe(0);
    await stack.until('the run to end', async () => (await statusOf('chatty')).includes('exited (0)'), 60_000);
    const lines = (await stack.cli(['logs', 'chatty'])).stdout
      .split(/\r?\n/)
      .filter((line) => line.startsWith('line '));
    expect(lines.length).toBe(100_000);
    expect(lines.findIndex((line, i) => line !== `line ${String(i + 1).padStart(7, '0')}`)).toBe(-1);
  });

  it.each([['server'], ['agent']] as const)(
    'survives kill -9 of the %s: the run ends well, every line is there once',
    async (victim) => {
      const name = `survives-${victim}`;
      task(name, '  - for i in $(seq 1 80); do echo "tick $i"; sleep 0.1; done');
      await apply(name, '-d');
      await stack.until('the first ticks', async () => (await stack.cli(['logs', name])).stdout.includes('tick 5'));
      if (victim === 'server') {
        await stack.killServer('SIGKILL');
        await stack.start();
      } else {
        const pids = stack.agentPids();
        expect(pids.length).toBeGreaterThan(0);
        for (const pid of pids) process.kill(pid, 'SIGKILL');
      }
      await stack.until('the run to end', async () => (await statusOf(name)).includes('exited (0)'), 60_000);
      const ticks = (await stack.cli(['logs', name])).stdout.split(/\r?\n/).filter((line) => line.startsWith('tick '));
      expect(ticks).toEqual(Array.from({ length: 80 }, (_, i) => `tick ${i + 1}`));
    },
  );

  const onlyInContainers = image === '' ? it.skip : it;
  onlyInContainers('runs a task in an image, and says in the plan that it will', async () => {
    task('boxed', '  - cat /etc/debian_version && test -f /.dockerenv && echo "in a container, $DSTACK_RUN_NAME"');
    const result = await apply('boxed');
    expect(result.stdout).toMatch(/Runtime\s+container \(the configuration names image dstack-test\/debian\)/);
    expect(result.stdout).toContain('in a container, boxed');
    expect(result.code).toBe(0);
  });
});
