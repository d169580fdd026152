import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunSpecError } from '../runs/run-spec-error.js';
import type * as Wire from '../wire/generated/api.js';
import {
  chooseRuntime,
  defaultRuntimePreference,
  runtimeFacts,
  runtimeFactsOfJob,
  type RuntimePreference,
} from './choose-runtime.js';
import { devEnvironmentCommands } from './dev-environment-commands.js';
import { findGroupReferences, resolveGroupReferences } from './group-references.js';
import { efaImageName, IMAGE_DEFAULTS, imageName, impliedArchitecture, type ImageConfig } from './image.js';
import { nodesRequired, replicaGroups } from './job-groups.js';
import { buildJobSpecs, type JobSpecOptions } from './job-specs.js';
import { shellOf, splitShellWords } from './shell.js';
import { shellScript } from './shell-script.js';
import { parseUnixUser } from './unix-user.js';

type Configuration = Wire.RunSpec['configuration'];

const imageConfig = (overrides: Partial<ImageConfig> = {}): ImageConfig => ({
  entrypoint: [],
  cmd: [],
  user: null,
  architectures: ['amd64'],
  ...overrides,
});
const jobs = (configuration: Configuration, options: Partial<JobSpecOptions> = {}, spec: Partial<Wire.RunSpec> = {}) =>
  buildJobSpecs({ run_name: 'r', configuration, ...spec }, { replicaNum: 0, ...options });
const job = (...args: Parameters<typeof jobs>) => {
  const [first] = jobs(...args);
  if (first === undefined) throw new Error('no job');
  return first;
};
const task = (overrides: Partial<Wire.TaskConfiguration> = {}): Configuration => ({
  type: 'task',
  commands: ['echo a'],
  ...overrides,
});
const issueOf = (work: () => unknown): string => {
  try {
    work();
    return 'no error';
  } catch (error) {
    if (isRunSpecError(error)) return error.message;
    throw error;
  }
};

describe('images', () => {
  it.each([
    ['default', {}, 'dstackai/base:0.15-base-ubuntu24.04'],
    ['nvcc', { nvcc: true }, 'dstackai/base:0.15-devel-ubuntu24.04'],
    ['docker', { docker: true }, 'dstackai/dind'],
    ['custom', { image: 'alpine' }, 'alpine'],
  ])('%s', (_case, choice, name) => expect(imageName(choice)).toBe(name));

  it.each([
    ['alpine', 'mirror.local/alpine'],
    ['library/alpine', 'mirror.local/library/alpine'],
    ['ghcr.io/a/b', 'ghcr.io/a/b'],
    ['localhost/a', 'localhost/a'],
    ['host:5000/a', 'host:5000/a'],
  ])('%s with a default registry is %s', (image, name) => {
    expect(imageName({ image }, { ...IMAGE_DEFAULTS, registry: 'mirror.local/' })).toBe(name);
  });

  it('the images of jobs that name none come from the default registry too', () => {
    const defaults = { ...IMAGE_DEFAULTS, registry: 'mirror.local/hub' };
    const own = imageName({}, defaults);
    expect(own).toBe(`mirror.local/hub/${imageName({})}`);
    expect(imageName({ docker: true }, defaults)).toBe(`mirror.local/hub/${IMAGE_DEFAULTS.dindImage}`);
    expect(efaImageName(own, defaults)).toBe(`mirror.local/hub/${efaImageName(imageName({}))}`);
  });

  it('has libraries for EFA where only the default image ran', () => {
    expect(efaImageName(imageName({}))).toBe('dstackai/base:0.15-devel-efa-ubuntu24.04');
    expect(efaImageName('alpine')).toBe('alpine');
  });

  it.each([
    ['default', null, 'x86'],
    ['dind', null, 'x86'],
    ['custom', null, null],
    ['custom', imageConfig({ architectures: ['arm64'] }), 'arm'],
    ['custom', imageConfig({ architectures: ['amd64', 'arm64'] }), null],
    ['custom', imageConfig({ architectures: ['riscv64'] }), null],
  ] as const)('%s with %j runs on %s', (kind, config, arch) => expect(impliedArchitecture(kind, config)).toBe(arch));
});

describe('argv', () => {
  const script = (...args: Parameters<typeof jobs>) => job(...args).commands;
  it('is the shell with the script', () => {
    expect(script(task({ image: 'alpine' }))).toEqual(['/bin/sh', '-i', '-c', 'echo a']);
    expect(script(task({ image: 'alpine', shell: 'bash' }))[0]).toBe('/bin/bash');
  });
  it('starts in the Python that was asked for, or the pinned one', () => {
    expect(script(task({ python: '3.11' }))[3]).toContain('--python 3.11 ');
    expect(script(task())[3]).toContain('--python 3.12 ');
    expect(script(task({ image: 'alpine', nvcc: true }))[3]).not.toContain('--python');
  });
  it('starts dockerd first', () => expect(script(task({ docker: true }))[3]).toMatch(/^start-dockerd\n/));
  it('is the entrypoint with the commands as its arguments', () => {
    expect(script(task({ image: 'a', entrypoint: 'sh -c "a b"', commands: ['c d'] }))).toEqual([
      'sh',
      '-c',
      'a b',
      'c d',
    ]);
  });
  it('is what the image starts', () => {
    const image = () => imageConfig({ entrypoint: ['/run'], cmd: ['x'] });
    expect(script(task({ image: 'a', commands: [] }), { imageConfig: image })).toEqual(['/run', 'x']);
    expect(script(task({ image: 'a', commands: [] }))).toEqual([]);
  });
  it('needs something to start', () => {
    expect(issueOf(() => script(task({ image: 'a', commands: [] }), { imageConfig: () => imageConfig() }))).toContain(
      'set `commands` or `entrypoint`',
    );
    expect(issueOf(() => script(task({ image: 'a', entrypoint: '"' })))).toContain('entrypoint is not a command line');
  });
  it.each([
    ['a  b', ['a', 'b']],
    [`'a b' "c \\" d" e\\ f`, ['a b', 'c " d', 'e f']],
    ['""', ['']],
    ["it's", null],
  ])('splits %j', (text, words) => expect(splitShellWords(text)).toEqual(words));
  it.each([
    ['zsh path', '/bin/zsh', 'default', '/bin/zsh'],
    ['default image', null, 'default', '/bin/bash'],
    ['custom image', null, 'custom', '/bin/sh'],
    ['dind', undefined, 'dind', '/bin/bash'],
  ] as const)('shell of %s', (_case, shell, kind, expected) => expect(shellOf(shell, kind)).toBe(expected));
});

describe('the script of a process job', () => {
  const run = (commands: readonly string[]) =>
    spawnSync('/bin/sh', ['-c', shellScript(commands)], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], DSTACK_WORKING_DIR: '/w' },
    });
  const made: string[] = [];
  const makeDir = (): string => {
    const dir = mkdtempSync(join(tmpdir(), 'dev-'));
    made.push(dir);
    return dir;
  };
  afterAll(() => {
    for (const dir of made) rmSync(dir, { recursive: true, force: true });
  });
  it('leaves Python alone where there is no environment to make', () => {
    const commands = job(task({ commands: ['echo ran'] })).commands;
    const { stdout, status } = spawnSync('/bin/sh', ['-c', commands[3] ?? ''], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
    expect([stdout, status]).toEqual(['ran\n', 0]);
  });
  it('tells how to connect to a dev environment', () => {
    const commands = devEnvironmentCommands({ ide: 'vscode', init: ['echo init'] }, 'my-env').filter(
      (line) => !line.startsWith('tail'),
    );
    const { stdout, status } = run(commands);
    expect(status).toBe(0);
    expect(stdout).toContain('init\n');
    expect(stdout).toContain('vscode://vscode-remote/ssh-remote+my-env/w');
    expect(stdout).toContain('ssh my-env');
  });
  it('goes on when the IDE server cannot be installed', () => {
    // Without any downloader.
    const dir = makeDir();
    symlinkSync(spawnSync('which', ['sleep'], { encoding: 'utf8' }).stdout.trim(), join(dir, 'sleep'));
    const [install = ''] = devEnvironmentCommands({ ide: 'vscode', version: 'abc' }, 'e');
    const { stdout, status } = spawnSync('/bin/sh', ['-c', shellScript([install, 'echo next'])], {
      encoding: 'utf8',
      env: { PATH: dir, HOME: '/nonexistent', TMPDIR: dir },
    });
    expect([status, stdout]).toEqual([
      0,
      'Could not pre-install the VS Code server; it will be installed when you connect\nnext\n',
    ]);
  });
  it('leaves no half of an IDE server when its download fails', () => {
    const dir = makeDir();
    writeFileSync(join(dir, 'wget'), '#!/bin/sh\nexit 4\n', { mode: 0o755 });
    const env = { PATH: `${dir}:${process.env['PATH'] ?? ''}`, HOME: dir, TMPDIR: dir };
    const [install = ''] = devEnvironmentCommands({ ide: 'windsurf', version: '1.2@abc' }, 'e');
    const { stdout, status } = spawnSync('/bin/sh', ['-c', install], { encoding: 'utf8', env });
    expect([status, stdout]).toEqual([
      0,
      'Could not pre-install the Windsurf server; it will be installed when you connect\n',
    ]);
    expect(readdirSync(join(dir, '.windsurf-server', 'bin'))).not.toContain('abc');
  });
  it('does not wait for a network that hangs', () => {
    const dir = makeDir();
    // As a downloader whose server never answers.
    writeFileSync(join(dir, 'wget'), '#!/bin/sh\nexec sleep 6\n', { mode: 0o755 });
    const env = { PATH: `${dir}:${process.env['PATH'] ?? ''}`, HOME: dir, TMPDIR: dir, DSTACK_WORKING_DIR: '/w' };
    const commands = devEnvironmentCommands({ ide: 'cursor', version: 'abc', init: ['echo ready'] }, 'e', 1);
    const startedAt = Date.now();
    const script = shellScript(commands.filter((line) => !line.startsWith('tail')));
    const { stdout, status } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8', env });
    expect([status, stdout.split('\n')[0]]).toEqual([
      0,
      'The Cursor server is still being downloaded; you can connect all the same',
    ]);
    expect(stdout).toContain('ready\n');
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });
  it('installs the IDE server where there is one to be had', () => {
    const dir = makeDir();
    mkdirSync(join(dir, 'server', 'bin'), { recursive: true });
    writeFileSync(join(dir, 'server', 'bin', 'code-server'), '#!/bin/sh\necho "$@" > "$HOME/extensions"\n', {
      mode: 0o755,
    });
    spawnSync('tar', ['-C', dir, '-czf', join(dir, 'server.tgz'), 'server']);
    writeFileSync(join(dir, 'wget'), `#!/bin/sh\ncat ${join(dir, 'server.tgz')}\n`, { mode: 0o755 });
    const env = { PATH: `${dir}:${process.env['PATH'] ?? ''}`, HOME: dir, TMPDIR: dir };
    const [install = ''] = devEnvironmentCommands({ ide: 'vscode', version: 'abc' }, 'e');
    const { stdout, status } = spawnSync('/bin/sh', ['-c', install], { encoding: 'utf8', env });
    expect([status, stdout]).toEqual([0, '']);
    expect(readdirSync(join(dir, '.vscode-server', 'bin'))).toEqual(['abc']);
    expect(readFileSync(join(dir, 'extensions'), 'utf8')).toContain('--install-extension ms-toolsai.jupyter');
  });
  it.each(['vscode', 'cursor', 'windsurf'] as const)('is valid shell for %s', (ide) => {
    const script = shellScript(devEnvironmentCommands({ ide, version: '1.2@abc', setup: ['a'], init: ['b'] }, 'e'));
    expect(spawnSync('/bin/sh', ['-n', '-c', script]).status).toBe(0);
  });
});

describe('several nodes', () => {
  const key = { private: 'p', public: 'q' };
  const groups: Configuration = {
    type: 'task',
    groups: [
      {
        name: 'head',
        nodes: 1,
        commands: ['a'],
        resources: { memory: { min: 1 } },
        ports: [{ container_port: 80, local_port: 8080 }],
      },
      { nodes: 2, commands: ['b'], resources: { memory: { min: 2 } } },
    ],
  };
  it('rank across the groups, each with the resources and commands of its group', () => {
    const specs = jobs(groups, { sshKey: key, replicaNum: 3 });
    expect(
      specs.map((s) => [s.job_name, s.job_num, s.node_group_index, s.node_group_name, s.node_group_job_index]),
    ).toEqual([
      ['r-0-3', 0, 0, 'head', 0],
      ['r-1-3', 1, 1, '1', 0],
      ['r-2-3', 2, 1, '1', 1],
    ]);
    expect(specs.map((s) => s.requirements.resources.memory?.min)).toEqual([1, 2, 2]);
    expect(specs.every((s) => s.jobs_per_replica === 3 && s.requirements.multinode && s.ssh_key === key)).toBe(true);
    expect(specs[0]?.app_specs).toEqual([
      { port: 80, map_to_port: 8080, app_name: 'app_0', url_path: null, url_query_params: null },
    ]);
    expect(nodesRequired(groups)).toBe(3);
  });
  it('a single node carries no key', () => expect(job(task(), { sshKey: key }).ssh_key).toBeNull());
});

describe('a service', () => {
  const service: Configuration = {
    type: 'service',
    port: 80,
    image: 'top',
    privileged: true,
    spot_policy: 'auto',
    replicas: [
      { name: 'a', count: { min: 1, max: 2 }, commands: ['x'], resources: {} },
      { name: 'b', count: { min: 0, max: 1 }, commands: ['y'], resources: {}, privileged: false, reservation: 'res' },
    ],
  };
  it('builds the job of the group the replica is in', () => {
    const a = job(service, { replicaGroup: 'a' });
    const b = job(service, { replicaGroup: 'b' });
    expect([a.replica_group, a.image_name, a.privileged, a.requirements.spot, a.requirements.reservation]).toEqual([
      'a',
      'top',
      true,
      null,
      null,
    ]);
    expect([b.replica_group, b.image_name, b.privileged, b.requirements.reservation]).toEqual([
      'b',
      'top',
      false,
      'res',
    ]);
    expect(issueOf(() => job(service, { replicaGroup: 'z' }))).toContain("no replica group 'z'");
    expect(nodesRequired(service)).toBe(1);
  });
  it.each([
    ['1 by default', undefined, 1, 1],
    ['a fixed count', { min: 2, max: 2 }, 2, 2],
    ['a range', { min: 1, max: 4 }, 1, 4],
    ['down to zero', { max: 3 }, 0, 3],
  ])('has %s', (_case, replicas, min, max) => {
    const [group] = replicaGroups({ type: 'service', port: 80, ...(replicas ? { replicas } : {}) });
    expect([group?.min, group?.max]).toEqual([min, max]);
  });
  it.each([
    [8000, 8000],
    ['80:8001', 8001],
    [{ local_port: 80, container_port: 8002 }, 8002],
  ])('with port %j serves %i', (port, expected) =>
    expect(job({ type: 'service', port, commands: ['x'] }).service_port).toBe(expected),
  );
  it('probes what it is told to, filling in the rest', () => {
    const probes = job({ type: 'service', port: 80, commands: ['x'], probes: [{ type: 'http', url: '/h' }] }).probes;
    expect(probes).toEqual([
      {
        type: 'http',
        url: '/h',
        method: 'get',
        headers: [],
        body: null,
        timeout: 10,
        interval: 15,
        ready_after: 1,
        until_ready: false,
      },
    ]);
    const model = { type: 'chat', name: 'm', format: 'openai' } as const;
    expect(job({ type: 'service', port: 80, commands: ['x'], model, probes: [] }).probes).toEqual([]);
  });
});

describe('what a job inherits', () => {
  it('is the configuration where it says something, else the profile', () => {
    const profile = {
      name: 'p',
      max_price: 2,
      spot_policy: 'spot',
      retry: true,
      max_duration: 60,
      stop_duration: 'off',
    } as const;
    const spec = job(task({ max_price: 1 }), {}, { profile });
    expect(spec.requirements).toMatchObject({ max_price: 1, spot: true });
    expect(spec).toMatchObject({
      max_duration: 60,
      stop_duration: null,
      retry: { on_events: ['no-capacity', 'interruption', 'error'], duration: 3600 },
    });
  });
  it.each([
    ['an unset working_dir', undefined, null],
    ['a relative one', 'src', '/workflow/src'],
    ['an absolute one', '/a', '/a'],
    ['one of the home', '~/a', '~/a'],
  ])('is %s', (_case, workingDir, expected) =>
    expect(job(task({ working_dir: workingDir ?? null })).working_dir).toBe(expected),
  );
  it('is the user of the configuration, else of the image', () => {
    expect(job(task({ user: '1000:staff' })).user).toEqual({
      uid: 1000,
      gid: null,
      username: null,
      groupname: 'staff',
    });
    expect(job(task({ image: 'a' }), { imageConfig: () => imageConfig({ user: 'app' }) }).user?.username).toBe('app');
    expect(issueOf(() => job(task({ user: 'a:b:c' })))).toContain("user 'a:b:c' must be");
  });
  it.each([
    ['root', { uid: null, gid: null, username: 'root', groupname: null }],
    ['0:0', { uid: 0, gid: 0, username: null, groupname: null }],
    ['-1', null],
    ['a:', null],
    [':a', null],
  ])('user %s', (text, user) => expect(parseUnixUser(text)).toEqual(user));
  it('is the environment, once every value is known', () => {
    expect(job(task({ env: ['A=1=2', 'B='] })).env).toEqual({ A: '1=2', B: '' });
    expect(issueOf(() => job(task({ env: { Z: { key: 'Z' }, A: { key: 'A' } } })))).toMatch(
      /environment variables: A, Z/,
    );
  });
  it('is the volume of its rank', () => {
    const volumes = [
      { name: 'data-${{ dstack.node_rank }}', path: '/d' },
      { name: ['a', 'b${{dstack.job_num}}'], path: '/e' },
      { instance_path: '/x', path: '/y' },
    ];
    expect(jobs(task({ nodes: 2, volumes }))[1]?.volumes).toEqual([
      { name: 'data-1', path: '/d' },
      { name: ['a', 'b1'], path: '/e' },
      volumes[2],
    ]);
    expect(issueOf(() => job(task({ volumes: [{ name: '${{ run.id }}', path: '/d' }] })))).toContain(
      'unknown ${{ run.id }}',
    );
  });
  it('is the repo and where it goes', () => {
    expect(job(task({ repos: [{ local_path: '.', path: '~/code', if_exists: 'skip' }] }))).toMatchObject({
      repo_dir: '~/code',
      repo_exists_action: 'skip',
    });
    expect(job(task({ repos: [{ local_path: '.' }] }), {}, { repo_dir: '/set' })).toMatchObject({
      repo_dir: '/set',
      repo_exists_action: 'error',
    });
  });
  it('is the architecture of the only image there is', () => {
    const arm = () => imageConfig({ architectures: ['arm64'] });
    expect(job(task({ image: 'a' }), { imageConfig: arm }).requirements.resources.cpu?.arch).toBe('arm');
    expect(job(task({ resources: { cpu: { arch: 'arm' } } })).requirements.resources.cpu?.arch).toBe('arm');
  });
});

describe('group references', () => {
  const text = 'ping ${{ groups[0].nodes[1].IP_ADDRESS }} ${{groups[1].nodes[0].IP_ADDRESS}}';
  it('are found, and what only looks like one is too', () => {
    expect(findGroupReferences(text).references.map((r) => [r.group, r.member, r.index])).toEqual([
      [0, 'nodes', 1],
      [1, 'nodes', 0],
    ]);
    expect(
      findGroupReferences('${{ groups[0].nodes[1].IP }} ${{ groups.x }} ${{ secrets.groups }}').malformed,
    ).toHaveLength(2);
  });
  it('wait for every address', () => {
    expect(resolveGroupReferences(text, (r) => (r.group === 0 ? '10.0.0.2' : null))).toBeNull();
    expect(resolveGroupReferences(text, (r) => `10.0.${r.group}.${r.index}`)).toBe('ping 10.0.0.1 10.0.1.0');
  });
});

describe('the runtime', () => {
  const both = { container: true, process: true };
  const choose = (configuration: Configuration, host = both, preference?: RuntimePreference) => {
    const choice = chooseRuntime(runtimeFacts(configuration), host, preference);
    return 'refused' in choice ? ['refused', choice.refused] : [choice.runtime, choice.because];
  };
  it.each([
    ['an image', task({ image: 'alpine' }), 'the configuration names image alpine'],
    ['docker', task({ docker: true }), 'the configuration names docker: true'],
    ['privileged', task({ privileged: true }), 'the configuration names privileged: true'],
    ['volumes', task({ volumes: [{ instance_path: '/a', path: '/b' }] }), 'the configuration names volumes'],
  ])('is a container for %s', (_case, configuration, because) => {
    expect(choose(configuration)).toEqual(['container', because]);
    expect(choose(configuration, { container: false, process: true })[0]).toBe('refused');
    expect(choose(configuration, both, 'process')[0]).toBe('refused');
  });
  it('is a process for anything else, and says what comes from the host', () => {
    expect(choose(task())).toEqual(['process', 'the configuration names no image, docker, privileged or volumes']);
    expect(choose(task({ python: '3.11' }))[1]).toContain('Python (asked for 3.11) comes from the host');
  });
  it('is a container for optional volumes where it can be, else goes without', () => {
    const optional = task({ volumes: [{ instance_path: '/a', path: '/b', optional: true }] });
    expect(choose(optional)).toEqual(['container', 'the configuration names optional volumes']);
    expect(choose(optional, { container: false, process: true })).toEqual([
      'process',
      'the configuration names no image, docker, privileged or volumes; optional volumes are left out',
    ]);
  });
  it('is a container on every host with an engine but this machine', () => {
    expect(defaultRuntimePreference('local')).toBe('auto');
    expect(choose(task(), both, defaultRuntimePreference('remote'))).toEqual([
      'container',
      'the host has a container engine',
    ]);
    expect(choose(task(), { container: false, process: true }, defaultRuntimePreference('remote'))).toEqual([
      'process',
      'no container engine answers on the host; the configuration names no image, docker, privileged or volumes',
    ]);
  });
  it('is decided by the group of a replica', () => {
    const service: Configuration = {
      type: 'service',
      port: 80,
      replicas: [
        { name: 'a', count: { min: 1, max: 1 }, commands: ['x'] },
        { name: 'b', count: { min: 1, max: 1 }, commands: ['x'], image: 'alpine' },
      ],
    };
    expect(runtimeFactsOfJob(service, { replica_group: 'a' }).containerOnly).toEqual([]);
    expect(runtimeFactsOfJob(service, { replica_group: 'b' }).containerOnly).toEqual(['image alpine']);
    expect(runtimeFactsOfJob(task({ image: 'x' }), {}).containerOnly).toEqual(['image x']);
  });
  it('is a container where processes are not allowed or containers are preferred', () => {
    expect(choose(task(), { container: true, process: false })).toEqual([
      'container',
      'this host runs containers only',
    ]);
    expect(choose(task(), both, 'container')[0]).toBe('container');
    expect(choose(task(), { container: false, process: true }, 'container')[0]).toBe('refused');
    expect(choose(task(), { container: false, process: false })[0]).toBe('refused');
  });
});
