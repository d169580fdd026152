import { chownSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { hasServerImage, SERVER_IMAGE, ServerContainer } from '../src/server-container.js';
import { until } from '../src/until.js';

const why = !isFullRun ? OF_FULL_RUN : hasServerImage() ? null : `there is no image ${SERVER_IMAGE}`;
if (why !== null && isFullRun) console.warn(`The stories of the server's image are left out: ${why}`);

/** Of the user dstack in the image. */
const UID = 10_001;

const LOCAL = 'projects:\n  - name: main\n    backends:\n      - type: local\n';
const TASK = [
  'type: task',
  'name: hello',
  'commands: ["echo hello from $(uname -s)"]',
  'resources: {cpu: 1.., memory: 128MB.., disk: 1GB..}',
  '',
].join('\n');

(why === null ? describe : describe.skip)('the image of the server', () => {
  const server = new ServerContainer();
  afterAll(() => server.remove());

  it('starts with one command and shows where it is and how to get in', async () => {
    server.configure(LOCAL);
    const ms = await server.run();
    console.info(`the image answered after ${Math.round(ms)} ms`);
    expect(server.output).toMatch(
      /The server is running at http:\/\/\S+:3000\n(.*\n)*The admin token is [0-9a-f-]{36}/,
    );
    await until('the engine to call it healthy', () => Promise.resolve(server.health() === 'healthy'), 120_000);
  }, 240_000);

  it('has the command line, the agent, Litestream, git, and the list of what is inside', async () => {
    for (const command of [
      ['dstack', '--version'],
      ['litestream', 'version'],
      ['git', '--version'],
      ['ssh', '-V'],
      ['test', '-x', `/opt/dstack/agents/folder-${process.arch}/node`],
      ['test', '-s', '/opt/dstack/sbom.cdx.json'],
    ])
      expect([command.join(' '), (await server.exec(...command)).code]).toEqual([command.join(' '), 0]);
  });

  it('runs a task that is applied inside', async () => {
    await server.exec('sh', '-c', `printf '%s' '${TASK.replaceAll("'", `'\\''`)}' > /tmp/hello.dstack.yml`);
    const applied = await server.exec('dstack', 'apply', '-y', '-f', 'hello.dstack.yml');
    expect(applied).toMatchObject({ code: 0 });
    expect(applied.stdout).toContain('hello from Linux');
  });

  it('leaves no zombies of what ended without its parent', async () => {
    await server.exec('sh', '-c', 'for i in 1 2 3 4 5; do (sleep 0.1 &); done');
    const zombies = async (): Promise<boolean> => {
      const { stdout } = await server.exec('sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null');
      return /\((sleep)\) /.test(stdout);
    };
    await until('the orphans to be gone', async () => !(await zombies()));
  });

  it('knows its state after a restart', async () => {
    const { token } = server;
    await server.restart();
    expect(server.token).toBe(token);
    expect((await server.exec('dstack', 'ps', '-a')).stdout).toMatch(/hello/);
    expect((await server.exec('dstack', 'logs', 'hello')).stdout).toContain('hello from Linux');
    expect(statSync(join(server.dir, 'data/sqlite.db')).size).toBeGreaterThan(0);
  });

  it('ends on SIGTERM at once and in order', () => {
    const { code, ms } = server.stop();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(10_000);
  });
});

(why === null ? describe : describe.skip)('the image of the server, by another user than root', () => {
  const server = new ServerContainer({ user: 'dstack' });
  afterAll(() => server.remove());

  it('serves, and owns its files', async () => {
    chownSync(server.dir, UID, UID);
    await server.run();
    expect((await server.exec('id', '-u')).stdout.trim()).toBe(String(UID));
    expect(statSync(join(server.dir, 'data/sqlite.db')).uid).toBe(UID);
    expect((await server.exec('dstack', 'ps')).code).toBe(0);
    expect(server.stop().code).toBe(0);
  });
});
