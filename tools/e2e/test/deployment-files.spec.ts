import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFullRun } from '../src/full-run.js';
import { repositoryRoot } from '../src/programs.js';

/** The tools are built from source, which takes minutes the first time. */
(isFullRun ? describe : describe.skip)('the descriptions of deployments', () => {
  const work = mkdtempSync(join(tmpdir(), 'dstack-deployment-'));
  afterAll(() => rmSync(work, { recursive: true, force: true }));
  let tools = '';
  beforeAll(() => {
    const script = join(repositoryRoot, 'tools/ci/make-deployment-tools.sh');
    tools = execFileSync('bash', [script], { encoding: 'utf8' }).trim();
  }, 900_000);
  const chart = join(repositoryRoot, 'charts/dstack');
  const tool = (name: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(join(tools, name), args, { encoding: 'utf8', cwd: repositoryRoot });
    return { status, stdout, stderr };
  };

  const everything = [
    ...['database.existingSecret=database', 'config.existingSecret=config', 'adminToken.existingSecret=token'],
    ...['url=https://dstack.example.com', 'ingress.enabled=true', 'ingress.host=dstack.example.com'],
    ...['ingress.tlsSecret=tls', 'ingress.className=nginx', 'env.DSTACK_SERVER_LOG_LEVEL=DEBUG', 'nodeSelector.pool=a'],
  ];
  it.each([
    ['with all of its values', everything],
    ['with a database and nothing else', ['database.url=postgresql://db/dstack']],
  ])('the chart %s is what Kubernetes takes: two replicas', (_, values) => {
    const set = values.flatMap((value) => ['--set', value]);
    expect(tool('helm', 'lint', '--strict', chart, ...set)).toMatchObject({ status: 0 });
    const rendered = tool('helm', 'template', 'dstack', chart, ...set);
    expect(rendered).toMatchObject({ status: 0 });
    expect(rendered.stdout).toContain('replicas: 2');
    const file = join(work, 'rendered.yaml');
    writeFileSync(file, rendered.stdout);
    expect(tool('kubernetes/bin/kubernetes-validate', '--strict', file)).toMatchObject({ status: 0 });
  });

  it('the chart without a database says what is missing', () => {
    const { status, stderr } = tool('helm', 'template', 'dstack', chart);
    expect(status).not.toBe(0);
    expect(stderr).toContain('Set database.existingSecret');
  });

  it('the workflows are what GitHub runs', () => {
    const dir = join(repositoryRoot, '.github/workflows');
    const files = readdirSync(dir).map((name) => join(dir, name));
    expect(tool('actionlint', ...files)).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
