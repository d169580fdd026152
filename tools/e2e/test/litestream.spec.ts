import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../src/free-port.js';
import { isFullRun } from '../src/full-run.js';
import { repositoryRoot } from '../src/programs.js';
import { Stack } from '../src/stack.js';
import { until } from '../src/until.js';

/** A real Litestream and an S3 server; making both takes minutes the first time. */
(isFullRun ? describe : describe.skip)('a server with LITESTREAM_REPLICA_URL', () => {
  let s3: ChildProcess;
  let stack: Stack;
  beforeAll(async () => {
    const tools = execFileSync('bash', [join(repositoryRoot, 'tools/ci/make-litestream.sh')], {
      encoding: 'utf8',
    }).trim();
    const port = await freePort();
    s3 = spawn(join(tools, 'moto/bin/moto_server'), ['-p', String(port)], { stdio: 'ignore' });
    const bucket = `http://127.0.0.1:${port}/replica`;
    const make = () => fetch(bucket, { method: 'PUT' }).then((reply) => reply.ok, () => false); // prettier-ignore
    await until('the S3 server to have a bucket', make, 60_000);
    stack = new Stack({
      LITESTREAM_REPLICA_URL: `s3://replica.localhost:${port}/db`,
      DSTACK_SERVER_LITESTREAM: join(tools, 'litestream'),
      AWS_ACCESS_KEY_ID: 'id',
      AWS_SECRET_ACCESS_KEY: 'secret',
    });
  }, 900_000);
  afterAll(async () => {
    await stack?.close();
    s3?.kill('SIGKILL');
  });

  const readiness = async () => (await (await fetch(`${stack.url}/readyz`)).json()) as { warnings: string[] };
  const setSecret = (name: string) =>
    stack.api('/api/project/main/secrets/create_or_update', { name, value: name.repeat(400) });
  const secrets = async () => (await stack.api<object[]>('/api/project/main/secrets/list')).length;

  it('loses nothing with its directory, and starts in quarantine', async () => {
    await stack.start();
    const { token } = stack;
    for (let round = 0; round < 25; round += 1)
      await Promise.all(Array.from({ length: 40 }, (_, index) => setSecret(`s${round}-${index}`)));
    const database = join(stack.serverDir, 'data/sqlite.db');
    // Litestream alone writes the log back: it does not grow with what was written.
    expect(statSync(`${database}-wal`).size).toBeLessThan(64 * 1024 ** 2);
    await stack.killServer('SIGTERM');
    expect(existsSync(`${database}-litestream.pid`)).toBe(false);
    rmSync(stack.serverDir, { recursive: true });
    await stack.start();
    expect(stack.token).toBe(token);
    expect(await secrets()).toBe(1_000);
    expect((await readiness()).warnings.join()).toContain('restored from its replica');
  }, 300_000);

  it('that was killed in the middle of its work goes on with one Litestream', async () => {
    const work = Array.from({ length: 200 }, (_, index) => setSecret(`k${index}`).then(() => 1, () => 0)); // prettier-ignore
    await Promise.race(work);
    await stack.killServer('SIGKILL');
    const done = (await Promise.all(work)).reduce<number>((sum, one) => sum + one, 0);
    await stack.start();
    expect(await secrets()).toBeGreaterThanOrEqual(1_000 + done);
    const running = execFileSync('pgrep', ['-fc', `replicate ${stack.serverDir}`], { encoding: 'utf8' });
    expect(Number(running)).toBe(1);
  }, 120_000);

  it('without its replica does not begin anew', async () => {
    await stack.killServer('SIGTERM');
    s3.kill('SIGKILL');
    rmSync(stack.serverDir, { recursive: true });
    await expect(stack.start()).rejects.toThrow(/could not be restored from s3:\/\/replica/);
    expect(existsSync(join(stack.serverDir, 'data/sqlite.db'))).toBe(false);
  }, 120_000);
});
