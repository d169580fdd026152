import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../src/free-port.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { repositoryRoot } from '../src/programs.js';
import { hasServerImage, SERVER_IMAGE } from '../src/server-container.js';
import { until } from '../src/until.js';

const why = !isFullRun ? OF_FULL_RUN : hasServerImage() ? null : `there is no image ${SERVER_IMAGE}`;
if (why !== null && isFullRun) console.warn(`The story of the compose file is left out: ${why}`);

/** Grafana is not in Debian, so all but it. */
const SERVICES = ['postgres', 'server', 'prometheus'];

interface QueryReply {
  readonly status: string;
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

(why === null ? describe : describe.skip)('the compose file', () => {
  const work = mkdtempSync(join(tmpdir(), 'dstack-compose-'));
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    POSTGRES_PASSWORD: 'of-postgres',
    DSTACK_PROMETHEUS_AUTH_TOKEN: 'of-prometheus',
    DSTACK_SERVER_ADMIN_TOKEN: 'of-the-admin',
  };
  let program = '';
  let ports = { server: 0, prometheus: 0 };
  const compose = (...args: string[]) =>
    spawnSync(
      program,
      ['-p', 'dstack-proof', '-f', 'docker/compose/compose.yml', '-f', join(work, 'here.yml'), ...args],
      { cwd: repositoryRoot, env, encoding: 'utf8' },
    );

  beforeAll(async () => {
    const script = (name: string) =>
      execFileSync('bash', [join(repositoryRoot, 'tools/ci', name)], { encoding: 'utf8' }).trim();
    program = join(script('make-deployment-tools.sh'), 'docker-compose');
    script('make-compose-images.sh');
    ports = { server: await freePort(), prometheus: await freePort() };
    const [name = '', tag = 'latest'] = SERVER_IMAGE.split(':');
    Object.assign(env, { DSTACK_IMAGE_NAME: name, DSTACK_IMAGE_TAG: tag, DSTACK_PORT: String(ports.server) });
    const here = [
      'services:',
      '  postgres: {image: dstack-build/postgres}',
      `  prometheus: {image: dstack-build/prometheus, ports: ["127.0.0.1:${ports.prometheus}:9090"]}`,
      '',
    ];
    writeFileSync(join(work, 'here.yml'), here.join('\n'));
  }, 900_000);
  afterAll(() => {
    compose('down', '--volumes', '--timeout', '20');
    rmSync(work, { recursive: true, force: true });
  }, 60_000);

  const ask = async (query: string): Promise<QueryReply> => {
    const url = `http://127.0.0.1:${ports.prometheus}/api/v1/query?query=${encodeURIComponent(query)}`;
    return (await (await fetch(url)).json()) as QueryReply;
  };
  const api = (path: string, body: object = {}) =>
    fetch(`http://127.0.0.1:${ports.server}/api/${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer of-the-admin', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('brings up a server on Postgres that Prometheus sees', async () => {
    const up = compose('up', '--detach', '--wait', '--wait-timeout', '120', ...SERVICES);
    expect({ status: up.status, stderr: up.stderr }).toMatchObject({ status: 0 });
    const ready = (await (await fetch(`http://127.0.0.1:${ports.server}/readyz`)).json()) as object;
    expect(JSON.stringify(ready)).not.toContain('sqlite');
    expect((await api('project/main/secrets/create_or_update', { name: 'kept', value: 'x' })).status).toBe(200);
    await until(
      'Prometheus to have read the server',
      () => ask('up{job="dstack"}').then(({ data }) => data.result[0]?.value[1] === '1', () => false), // prettier-ignore
      60_000,
    );
  }, 240_000);

  it('shows a dashboard whose queries Prometheus takes', async () => {
    const file = join(repositoryRoot, 'docker/compose/grafana/dashboards/dstack.json');
    const queries = [...readFileSync(file, 'utf8').matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].map(([, text]) =>
      (JSON.parse(`"${text}"`) as string).replaceAll('$project', '.*'),
    );
    expect(queries.length).toBeGreaterThan(5);
    const replies = await Promise.all(queries.map(ask));
    expect(replies.map(({ status }) => status)).toEqual(queries.map(() => 'success'));
  });

  it('keeps its state in Postgres', async () => {
    expect(compose('rm', '--stop', '--force', 'server').status).toBe(0);
    expect(compose('up', '--detach', '--wait', 'server').status).toBe(0);
    // The first connection may be one that the server before had.
    const listed = await until('the server to answer', () => api('project/main/secrets/list').catch(() => undefined));
    expect(await listed.json()).toMatchObject([{ name: 'kept' }]);
  }, 120_000);
});
