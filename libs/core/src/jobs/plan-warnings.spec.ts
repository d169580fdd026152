import { type PlannedJob, planWarnings } from './plan-warnings.js';
import { completeProbe } from './probe-specs.js';

const warnings = (job: Partial<PlannedJob['job']>, more: Partial<PlannedJob> = {}): string[] =>
  planWarnings({
    job: { env: {}, commands: ['serve'], ...job },
    runtime: 'process',
    backend: 'local',
    secrets: new Set(['known']),
    ...more,
  });

describe('what a plan warns of', () => {
  it('secrets that the project has not got, each once', () => {
    const header = { name: 'X', value: '${{ secrets.probe }}' };
    const told = warnings({
      env: {
        A: '${{ secrets.known }}',
        B: 'x ${{ secrets.gone }}',
        C: '${{secrets.gone}}',
        D: '$${{ secrets.quoted }}',
      },
      registry_auth: { username: 'me', password: '${{ secrets.login }}' },
      probes: [completeProbe({ type: 'http', headers: [header], body: '${{ secrets.known }}' })],
    });
    expect(told.map((text) => /no secret (\w+): /.exec(text)?.[1])).toEqual(['gone', 'login', 'probe']);
    expect(told[0]).toContain('dstack secret set gone');
  });

  it.each<[string, Partial<PlannedJob['job']>, Partial<PlannedJob>, number]>([
    ['a process of this machine that ignores its own port', { service_port: 8000 }, {}, 1],
    ['one that knows it', { service_port: 8000, commands: ['serve --port $DSTACK_SERVICE_PORT'] }, {}, 0],
    ['a container', { service_port: 8000 }, { runtime: 'container' }, 0],
    ['another machine', { service_port: 8000 }, { backend: 'aws' }, 0],
    ['a task', {}, {}, 0],
  ])('%s', (_what, job, more, count) => expect(warnings(job, more)).toHaveLength(count));
});
