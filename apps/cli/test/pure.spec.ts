import { decideApply } from '../src/apply/decide-apply.js';
import { mergePorts } from '../src/apply/merge-ports.js';
import { overrideConfiguration } from '../src/apply/override-configuration.js';
import { runEnding } from '../src/apply/run-ending.js';
import { shellJoin } from '../src/apply/shell-join.js';
import { nearest } from '../src/base/nearest.js';
import { toClientConfig, withDefault, withoutProject, withProject } from '../src/client-config/client-config.js';
import { resolveConnection } from '../src/client-config/resolve-connection.js';
import { parseRepoUrl, repoId } from '../src/repo/repo-url.js';
import { rewriteAddresses } from '../src/render/client-url.js';
import { parseSince } from '../src/render/since.js';
import { job as aJob, plan, provisioned, run, submission } from './builders.js';

const main = { name: 'main', url: 'http://a', token: 't1', default: true };
const other = { name: 'other', url: 'http://b', token: 't2', default: false };

describe('which server a command talks to', () => {
  const config = { projects: [main, other] };
  it.each([
    ['the default project', {}, undefined, { project: 'main', url: 'http://a', token: 't1' }],
    ['--project', {}, 'other', { project: 'other', url: 'http://b', token: 't2' }],
    ['DSTACK_PROJECT', { DSTACK_PROJECT: 'other' }, undefined, { project: 'other', url: 'http://b', token: 't2' }],
    [
      '--project over DSTACK_PROJECT',
      { DSTACK_PROJECT: 'other' },
      'main',
      { project: 'main', url: 'http://a', token: 't1' },
    ],
    [
      'a token of the environment',
      { DSTACK_TOKEN: 'mine' },
      undefined,
      { project: 'main', url: 'http://a', token: 'mine' },
    ],
    [
      'URL and token of the environment',
      { DSTACK_SERVER_URL: 'http://c', DSTACK_TOKEN: 'x', DSTACK_PROJECT: 'p' },
      undefined,
      { project: 'p', url: 'http://c', token: 'x' },
    ],
    [
      'a URL alone is ignored',
      { DSTACK_SERVER_URL: 'http://c' },
      undefined,
      { project: 'main', url: 'http://a', token: 't1' },
    ],
  ])('%s', (_rule, env, projectFlag, expected) => {
    expect(resolveConnection({ config, env, projectFlag })).toEqual(expected);
  });

  it.each([
    ['no project at all', { projects: [] }, {}, undefined, 'No project is configured.'],
    ['no default', { projects: [other] }, {}, undefined, 'There is no default project.'],
    ['an unknown one', { projects: [main] }, {}, 'nope', 'Project nope is not configured.'],
    [
      'a server without project',
      { projects: [main] },
      { DSTACK_SERVER_URL: 'u', DSTACK_TOKEN: 't' },
      undefined,
      'no project is named',
    ],
  ])('refuses %s', (_rule, given, env, projectFlag, message) => {
    expect(() => resolveConnection({ config: given, env, projectFlag })).toThrow(message);
  });
});

describe('the client configuration', () => {
  it('makes the first project the default, and keeps the default of others', () => {
    const one = withProject({ projects: [] }, { name: 'a', url: 'u', token: 't' });
    expect(one.projects[0]?.default).toBe(true);
    const two = withProject(one, { name: 'b', url: 'u', token: 't' });
    expect(two.projects.map((project) => project.default)).toEqual([true, false]);
    expect(withProject(two, { name: 'a', url: 'new', token: 't' }).projects[0]).toMatchObject({
      url: 'new',
      default: true,
    });
    expect(withDefault(two, 'b').projects.map((project) => project.default)).toEqual([false, true]);
    expect(withoutProject(two, 'a').projects.map((project) => project.name)).toEqual(['b']);
  });
  it('leaves out what is no project', () => {
    expect(toClientConfig({ projects: [{ name: 'x' }, 7, { ...main }] }).projects).toEqual([main]);
    expect(toClientConfig(null).projects).toEqual([]);
  });
});

describe('the command line over the file', () => {
  it.each([
    [{ name: 'n' }, {}, { name: 'n' }],
    [{ spot: true }, { spot_policy: 'auto' }, { spot_policy: 'spot' }],
    [{ 'no-retry': true }, { retry: true }, { retry: false }],
    [{ 'retry-duration': '1h' }, {}, { retry: { duration: '1h' } }],
    [{ 'dont-destroy': true }, { idle_duration: 300 }, { idle_duration: 'off' }],
    [{ backend: ['aws'] }, { backends: ['gcp'] }, { backends: ['aws'] }],
    [{ gpu: 'H100' }, { resources: { cpu: 4, gpu: 'L4' } }, { resources: { cpu: 4, gpu: 'H100' } }],
    [{ env: ['A=2', 'C', 'D='] }, { env: { A: '1', B: '1' } }, { env: { A: '2', B: '1', C: { key: 'C' }, D: '' } }],
    [{ env: ['A=2'] }, { env: ['A=1', 'B'] }, { env: { A: '2', B: { key: 'B' } } }],
  ])('%j over %j', (flags, configuration, expected) => {
    expect(overrideConfiguration(configuration, flags)).toEqual(expected);
  });
  it('merges ports by container port and refuses a local port used twice', () => {
    expect(mergePorts([8000, '80:9000'], ['8001:8000', '*:7000'])).toEqual([
      { local_port: 8001, container_port: 8000 },
      { local_port: 80, container_port: 9000 },
      { local_port: null, container_port: 7000 },
    ]);
    expect(() => mergePorts([], ['80:1', '80:2'])).toThrow('Local port 80 is used twice.');
    expect(() => mergePorts([], ['80:'])).toThrow('80: is no port mapping.');
  });
  it('quotes arguments for the shell', () => {
    expect(shellJoin(['--lr', '1e-4', "it's", 'a b', ''])).toBe(`--lr 1e-4 'it'"'"'s' 'a b' ''`);
  });
});

describe('what applying a plan comes to', () => {
  const change = [{ path: 'configuration.priority', before: '0', after: '5' }];
  const active = run({ status: 'running' });
  it.each([
    ['a new run', plan({}), [], {}, 'submit', 'Submit a new run?'],
    ['a named run', plan({ name: 'train' }), [], {}, 'submit', 'Submit the run train?'],
    [
      'a finished namesake',
      plan({ name: 'train', current: run({ status: 'done' }) }),
      change,
      {},
      'submit',
      'Submit the run train?',
    ],
    ['changes in place', plan({ current: active, action: 'update' }), change, {}, 'update', 'Update the run?'],
    ['other changes', plan({ current: active, action: 'create' }), change, {}, 'replace', 'Stop and override the run?'],
    ['no changes', plan({ current: active, action: 'update' }), [], {}, 'replace', 'Stop and override the run?'],
    ['no changes with -y', plan({ current: active, action: 'update' }), [], { yes: true }, 'nothing', undefined],
    [
      'no changes with -y --force',
      plan({ current: active, action: 'update' }),
      [],
      { yes: true, force: true },
      'replace',
      'Stop and override the run?',
    ],
  ])('%s', (_case, given, changes, flags, action, question) => {
    const decision = decideApply({ plan: given, changes, yes: false, force: false, ...flags });
    expect(decision.do).toBe(action);
    expect('question' in decision ? decision.question : undefined).toBe(question);
  });
});

describe('how an attached command ends', () => {
  it.each([
    ['done', run({ status: 'done', job: submission({ status: 'done', exit_status: 0 }) }), 0],
    ['the exit code of the job', run({ status: 'failed', job: submission({ status: 'failed', exit_status: 7 }) }), 7],
    ['1 without an exit code', run({ status: 'failed', job: submission({ status: 'failed' }) }), 1],
    ['1 for a run that was stopped', run({ status: 'terminated', job: submission({ status: 'terminated' }) }), 1],
  ])('%s', (_case, ended, exitCode) => {
    expect(runEnding(ended, 'train').exitCode).toBe(exitCode);
  });
  it('is 0 for a run that is done, though its workers were ended', () => {
    const worker = submission({ status: 'done', termination_reason: 'done_by_runner', exit_status: 130 });
    const jobs = [aJob(submission({ status: 'done', exit_status: 0 })), aJob(worker, { job_num: 1 })];
    expect(runEnding(run({ status: 'done', jobs }), 'two')).toMatchObject({ text: 'Exited (0)', exitCode: 0 });
  });
  it('is told by the job the end came from, not by those that ended because of it', () => {
    const jobs = [
      aJob(submission({ status: 'done', termination_reason: 'done_by_runner', exit_status: 0 })),
      aJob(submission({ status: 'terminated', termination_reason: 'terminated_by_server', exit_status: 130 }), {
        job_num: 1,
      }),
      aJob(
        submission({
          status: 'failed',
          status_message: 'exited (255)',
          termination_reason: 'container_exited_with_error',
          exit_status: 255,
          finished_at: '2026-01-02T03:04:05Z',
          job_provisioning_data: provisioned(),
        }),
        { job_num: 2 },
      ),
      aJob(
        submission({
          status: 'failed',
          termination_reason: 'container_exited_with_error',
          exit_status: 1,
          finished_at: '2026-01-02T03:04:06Z',
        }),
        { job_num: 3 },
      ),
    ];
    expect(runEnding(run({ status: 'failed', jobs }), 'two')).toEqual({
      text: 'Run two: exited (255), job=2 (reason: container_exited_with_error)\nWhat the agent logged about it: dstack logs -d two --job 2',
      ok: false,
      exitCode: 255,
    });
  });
  it('tells the reason', () => {
    const ended = run({
      status: 'terminated',
      job: submission({
        status: 'terminated',
        status_message: 'terminated',
        termination_reason: 'max_duration_exceeded',
      }),
    });
    expect(runEnding(ended, 'train').text).toContain('max_duration_exceeded');
  });
});

describe('small things', () => {
  it('finds the command that was meant', () => {
    expect(nearest('aply', ['apply', 'ps'])).toBe('apply');
    expect(nearest('xyzzy', ['apply', 'ps'])).toBeUndefined();
  });
  it.each([
    ['5m', 700_000],
    ['1970-01-01T00:00:01Z', 1_000],
    ['1970-01-01T01:00:01+01:00', 1_000],
  ])('--since %s', (text, expected) => expect(parseSince(text, 1_000_000)).toBe(expected));
  it('refuses a time without offset', () => expect(() => parseSince('2026-01-01T00:00:00', 0)).toThrow('neither'));
  it.each([
    ['https://github.com/o/r.git', 'github.com', 'o/r'],
    ['git@github.com:o/r.git', 'github.com', 'o/r'],
    ['ssh://git@github.com:2222/o/r', 'github.com', 'o/r'],
  ])('reads %s', (text, host, path) => expect(parseRepoUrl(text)).toMatchObject({ host, path }));
  it.each(['http://a/b', 'file:///a', '../x', 'git://a/b'])('knows that %s is no repository to clone', (text) =>
    expect(parseRepoUrl(text)).toBeUndefined(),
  );
  it('gives one id to all forms of a repository', () => {
    const ids = ['https://github.com/o/r', 'git@GitHub.com:o/r.git'].map((text) =>
      repoId(parseRepoUrl(text) ?? fail()),
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).toMatch(/^r-[0-9a-z]{8}$/);
  });
  it('shows the forwarded address of a port, and no other byte changed', () => {
    const ports = [{ host: 'localhost', localPort: 8081, remotePort: 8080, isDirect: false }];
    const before = Buffer.concat([
      Buffer.from([0xff, 0xfe]),
      Buffer.from('at http://0.0.0.0:8080/x and http://0.0.0.0:9/'),
    ]);
    const after = Buffer.from(rewriteAddresses(before, ports)).toString('latin1');
    expect(after).toBe(Buffer.from(before).toString('latin1').replace('0.0.0.0:8080', 'localhost:8081'));
  });
});
