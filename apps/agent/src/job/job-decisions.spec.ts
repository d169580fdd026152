import type { JobStart, JobState } from '@dstack/agent-protocol';
import { buildEnvironment, mpiHostfile, profileText } from './environment.js';
import { advanceState, type JobStatePatch } from './job-state-store.js';
import { resolveUser } from './job-user.js';
import { LogQuota } from './log-quota.js';
import { decideOutcome } from './outcome.js';
import { resolveJobPath } from './resolve-path.js';
import { VisibleByteCounter } from './visible-bytes.js';

const database = {
  passwd:
    'root:x:0:0:root:/root:/bin/bash\njo:x:1000:1000::/home/jo:/bin/zsh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
  group: 'root:x:0:\njo:x:1000:\ndocker:x:999:jo,al\nvideo:x:44:jo\n',
};

describe('the user of a job', () => {
  it.each([
    ['jo', { uid: 1000, gid: 1000, groups: [1000, 999, 44], home: '/home/jo', shell: '/bin/zsh', name: 'jo' }],
    ['1000', { uid: 1000, gid: 1000, groups: [1000, 999, 44], home: '/home/jo', name: 'jo' }],
    ['jo:docker', { uid: 1000, gid: 999, groups: [999] }],
    ['jo:7', { uid: 1000, gid: 7, groups: [7] }],
    ['4711', { uid: 4711, gid: 0, groups: [0], home: '/', name: '4711' }],
    ['nobody', { uid: 65534, home: '/' }],
  ])('%s', (spec, expected) => {
    expect(resolveUser(spec, database)).toMatchObject(expected);
  });

  it.each(['ghost', 'jo:ghosts'])('%s is unknown', (spec) => {
    expect(() => resolveUser(spec, database)).toThrow('/etc/');
  });
});

describe('paths of a job', () => {
  it.each([
    ['~', '/home/jo'],
    ['~/a', '/home/jo/a'],
    ['/a', '/a'],
    ['a/../b', '/work/b'],
    ['.', '/work'],
  ])('%s is %s', (path, expected) => {
    expect(resolveJobPath(path, '/home/jo', '/work')).toBe(expected);
  });
});

const job = {
  id: 'j',
  runId: 'r',
  runName: 'fox',
  repoId: 'none',
  env: { A: 'job', DSTACK_RUN_NAME: 'mine', HOME: '/not/this', REF: '$A' },
  cluster: { nodesNum: 2, nodeRank: 1, nodesIps: ['10.0.0.1', '10.0.0.2'], gpusPerNode: 8, gpusNum: 16 },
} as unknown as JobStart;

describe('the environment of a job', () => {
  const input = {
    job,
    base: { A: 'image', B: 'image', 'BASH_FUNC_f%%': '() { :; }', DSTACK_AGENT_HOST_KEY: 'secret', PATH: '/bin' },
    home: '/home/jo',
    userName: 'jo',
    workingDir: '/work',
    repoDir: undefined,
    publicDir: '/dstack',
    serverSocket: undefined,
  };
  const env = buildEnvironment(input);

  it('lets the job’s values win over the agent’s and the image’s, but for HOME, and expands nothing', () => {
    expect(env).toMatchObject({ A: 'job', B: 'image', REF: '$A', DSTACK_RUN_NAME: 'mine', HOME: '/home/jo' });
    expect(env).not.toHaveProperty('BASH_FUNC_f%%');
    expect(env).not.toHaveProperty('DSTACK_AGENT_HOST_KEY');
  });

  it('lets nothing wait for somebody at a keyboard, unless the image or the job wants it; logins have their own', () => {
    expect(env['PAGER']).toBe('cat');
    expect(env['GIT_TERMINAL_PROMPT']).toBe('0');
    expect(profileText(env)).not.toMatch(/PAGER|GIT_TERMINAL_PROMPT/);
    expect(buildEnvironment({ ...input, base: { PAGER: 'less' } })['PAGER']).toBe('less');
    expect(buildEnvironment({ ...input, job: { ...job, env: { PAGER: 'more' } } })['PAGER']).toBe('more');
  });

  it('tells the job of its nodes', () => {
    expect(env).toMatchObject({
      DSTACK_NODES_NUM: '2',
      DSTACK_NODE_RANK: '1',
      DSTACK_NODES_IPS: '10.0.0.1\n10.0.0.2',
      DSTACK_MASTER_NODE_IP: '10.0.0.1',
      DSTACK_GPUS_PER_NODE: '8',
      DSTACK_GPUS_NUM: '16',
      DSTACK_MPI_HOSTFILE: '/dstack/mpi/hostfile',
      DSTACK_REPO_DIR: '/workflow',
      DSTACK_WORKING_DIR: '/work',
    });
    expect(mpiHostfile(job)).toBe('10.0.0.1 slots=8\n10.0.0.2 slots=8\n');
    expect(mpiHostfile({ ...job, cluster: { ...job.cluster, gpusPerNode: 0 } })).toBe('10.0.0.1\n10.0.0.2\n');
    expect(mpiHostfile({ ...job, cluster: { ...job.cluster, nodesIps: ['10.0.0.1', ''] } })).toBe('');
  });

  it('writes a profile that a shell reads back as it was', () => {
    expect(profileText({ A: "it's", 'bad-name': 'x', HOME: '/h' })).toBe(
      `export A='it'\\''s'\ncd "$DSTACK_WORKING_DIR"\n`,
    );
  });
});

describe('the outcome of commands', () => {
  it.each([
    [{ code: 0, signal: 0 }, undefined, { reason: 'done_by_runner', exitStatus: 0 }],
    [{ code: 3, signal: 0 }, undefined, { reason: 'container_exited_with_error', exitStatus: 3 }],
    [{ code: 0, signal: 11 }, undefined, { reason: 'container_exited_with_error', exitStatus: 139 }],
    [
      { code: 0, signal: 0 },
      { reason: 'terminated_by_user' as const },
      { reason: 'terminated_by_user', exitStatus: 0 },
    ],
  ])('%j after %j', (status, interruption, expected) => {
    expect(decideOutcome(status, interruption)).toMatchObject(expected);
  });
});

it('says that memory ran out', () => {
  expect(decideOutcome({ code: 137, signal: 0 }, undefined, 1).message).toContain('raise `resources.memory`');
});

describe('the state of a job', () => {
  const running: JobState = { id: 'j', revision: 5, phase: 'running', phaseAt: 100 };
  it.each<[string, JobState, JobStatePatch, Partial<JobState> | undefined]>([
    ['goes forward', running, { phase: 'stopping' }, { phase: 'stopping', phaseAt: 200, revision: 6 }],
    ['never goes back', running, { phase: 'starting', sshPort: 1 }, { phase: 'running', phaseAt: 100, sshPort: 1 }],
    ['keeps its revision when nothing changes', running, { phase: 'running' }, undefined],
    ['is final when finished', { ...running, phase: 'finished' }, { phase: 'stopping', message: 'x' }, undefined],
  ])('%s', (_rule, state, patch, expected) => {
    const next = advanceState(state, patch, 200);
    if (expected === undefined) expect(next).toBeUndefined();
    else expect(next).toMatchObject(expected);
  });
});

describe('the log quota', () => {
  it('counts what a terminal shows, also over chunks', () => {
    const counter = new VisibleByteCounter();
    const chunks = ['plain', '\x1b[3', '1mred\x1b[0m', '\x1b]0;title\x07', '\x1b(Bx', '\x1b]8;;url\x1b\\link'];
    expect(chunks.map((chunk) => counter.count(Buffer.from(chunk)))).toEqual([5, 0, 3, 0, 1, 4]);
  });

  it('starts anew with each hour since the submission', () => {
    const quota = new LogQuota(10, 0);
    expect(quota.exceededBy(Buffer.alloc(10, 'a'), 1000)).toBe(false);
    expect(quota.exceededBy(Buffer.alloc(10, 'a'), 3_600_000)).toBe(false);
    expect(quota.exceededBy(Buffer.from('a'), 3_600_001)).toBe(true);
  });

  it('is off at 0', () => {
    expect(new LogQuota(0, 0).exceededBy(Buffer.alloc(1000, 'a'), 1)).toBe(false);
  });
});
