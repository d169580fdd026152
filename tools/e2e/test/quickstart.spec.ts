import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningCommand, startCommand } from '../src/command.js';
import { freePort } from '../src/free-port.js';
import { node, repositoryRoot } from '../src/programs.js';
import { until } from '../src/until.js';

/** `npm start` without npm: in a checkout that is installed and built. */
describe('the quickstart', () => {
  let home: string;
  let started: RunningCommand | undefined;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'dstack-quickstart-'));
  });
  afterEach(async () => {
    started?.child.kill('SIGTERM');
    await started?.done;
    started = undefined;
    rmSync(home, { recursive: true, force: true });
  });

  /** Without an engine the agent's folder for containers is not built beneath other tests. */
  const quickstart = (...args: string[]) => {
    const env = { PATH: process.env['PATH'], HOME: home, DOCKER_HOST: 'unix:///nonexistent' };
    started = startCommand(node, [join(repositoryRoot, 'tools/quickstart/start.mjs'), ...args], {
      cwd: repositoryRoot,
      env,
    });
    return started;
  };
  const answers = (port: number) =>
    fetch(`http://127.0.0.1:${port}/healthcheck`).then(
      (response) => response.ok,
      () => false,
    );
  const serving = async (port: number) => {
    const running = quickstart('--port', String(port));
    await until('the server to answer', () => answers(port), 60_000);
    return running;
  };

  it('runs hello on this machine and ends with its exit code', async () => {
    const port = await freePort();
    const { code, stdout, stderr } = await quickstart('--once', '--port', String(port)).done;
    expect(stderr).toMatch(/Building[^]*Server up: [^]*Submitting [^]*(submitted|provisioning) [^]*Run finished/);
    expect(stdout).toContain('Hello from hello');
    expect(code).toBe(0);
    expect(await answers(port)).toBe(false);
    expect(readFileSync(join(home, '.dstack/config.yml'), 'utf8')).toContain(`url: http://127.0.0.1:${port}`);
  });

  it.each([
    ['Ctrl-C', 'SIGINT', 0],
    ['a closed terminal', 'SIGHUP', 130],
  ] as const)('stops the server on %s, also in the middle of the run', async (_, signal, expected) => {
    const port = await freePort();
    const running = await serving(port);
    running.child.kill(signal);
    expect((await running.done).code).toBe(expected);
    expect(await answers(port)).toBe(false);
  });

  it('leaves no server behind when it is killed', async () => {
    const port = await freePort();
    const running = await serving(port);
    running.child.kill('SIGKILL');
    await running.done;
    await until('the server to stop', async () => !(await answers(port)));
  });

  it('says that the port is taken, and what to do', async () => {
    const port = await freePort();
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve));
    try {
      const { code, stderr } = await quickstart('--port', String(port)).done;
      expect(stderr).toContain(`Port ${port} is taken by another program`);
      expect(stderr).toContain(`npm start -- --port ${port + 1}`);
      expect(code).toBe(1);
    } finally {
      holder.close();
    }
  });

  it.each([
    [['--port', 'web'], /web is no port/],
    [['--twice'], /Unknown option '--twice'/],
  ])('refuses %j with exit code 2', async (args, sentence) => {
    const { code, stderr } = await quickstart(...args).done;
    expect(stderr).toMatch(sentence);
    expect(code).toBe(2);
  });
});
