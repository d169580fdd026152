import { buildJobSpecs, normaliseRunSpec, parseRunSpecValue, type Wire } from '@dstack/core';
import { type JobRecord, NEW_RUNTIME } from './job-record.js';
import { buildJobStart, JobRefusedError, type JobStartFacts } from './job-start.js';
import { UnknownSecretError } from './interpolate-secrets.js';

/** What the agent is told of a job with these fields, on a host with both runtimes. */
function startOf(configuration: object, changes: Partial<JobStartFacts> = {}, spec: object = {}) {
  const facts = factsOf(configuration, changes, spec);
  return buildJobStart(facts).start;
}

function factsOf(configuration: object, changes: Partial<JobStartFacts>, spec: object): JobStartFacts {
  const parsed = parseRunSpecValue({ run_name: 'train', configuration: { type: 'task', commands: ['x'], ...configuration }, ...spec }); // prettier-ignore
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const runSpec = normaliseRunSpec(parsed.value, { userSshPublicKey: null });
  const [first] = buildJobSpecs(runSpec, { replicaNum: 0 });
  return {
    job: record(first as Wire.JobSpec),
    runSpec,
    runName: 'train',
    projectName: 'main',
    agent: { runtimes: { container: { available: true, detail: '' }, process: { available: true, detail: '' } } } as JobStartFacts['agent'], // prettier-ignore
    machineKind: 'hosts',
    runtimePreference: 'auto',
    secrets: new Map([['TOKEN', 's3cret']]),
    registryLogin: { registry: 'mirror', username: 'of the server', password: 'p' },
    archives: new Map([['a1', 'f'.repeat(64)]]),
    repoInfo: { repo_url: 'https://git.example.com/o/r.git' },
    repoCredentials: null,
    ssh: { authorizedKeys: [] },
    hostEnv: {},
    routerIp: null,
    nodes: [{ group: 0, index: 0, ip: '10.0.0.1' }],
    logQuotaBytesPerHour: null,
    volumes: [],
    ...changes,
  };
}

function record(spec: Wire.JobSpec): JobRecord {
  const share = { blocks: 1, total_blocks: 2, instance: { resources: { cpus: 4, memory_mib: 1024, gpus: [] } } };
  // Of a job record only these count here.
  const job = { id: 'j1', runId: 'r1', jobNum: 0, spec, runtimeRecord: { ...NEW_RUNTIME, offer: share } };
  return job as unknown as JobRecord;
}

describe('what an agent is told of a job', () => {
  it('needs nothing of the image in the container that was made for it', () => {
    const image = { image: 'i:1', registry_auth: { username: 'u', password: '${{ secrets.TOKEN }}' } };
    const inContainer = { container: { available: false, detail: '' }, process: { available: true, detail: '' } };
    const agent = { runtimes: inContainer } as JobStartFacts['agent'];
    const start = startOf(image, { machineKind: 'containers', agent });
    expect(start).toMatchObject({ runtime: 'container', container: { image: 'i:1' } });
    expect(JSON.stringify(start)).not.toContain('s3cret');
  });

  it.each<[string, object, object]>([
    ['secrets, in env only', { env: { A: 'Bearer ${{ secrets.TOKEN }}', B: '$${{ x }} $HOME' } }, { env: { A: 'Bearer s3cret', B: '${{ x }} $HOME' } }],
    ['user and group', { user: '1000:users' }, { user: '1000:users' }],
    ['working_dir', { working_dir: '~/x' }, { workingDir: '~/x' }],
    ['max_duration', { max_duration: '2m' }, { maxDurationSeconds: 120 }],
    ['a share of a host', {}, { limits: { cpus: 4, memoryBytes: 1024 ** 3 } }],
    ['access to the server', { dstack: true }, { serverAccess: true }],
    ['image and registry_auth', { image: 'i:1', registry_auth: { username: 'u', password: '${{ secrets.TOKEN }}' } }, { runtime: 'container', container: { image: 'i:1', registryAuth: { username: 'u', password: 's3cret' } } }],
    ['the login of the server, for its registry', { image: 'mirror/i:1' }, { container: { registryAuth: { username: 'of the server', password: 'p' } } }],
    ['privileged', { image: 'i', privileged: true }, { container: { privileged: true } }],
    ['docker', { docker: true }, { container: { privileged: true } }],
    ['shm_size', { image: 'i', resources: { shm_size: '16GB' } }, { container: { shmBytes: 16 * 1024 ** 3 } }],
    ['host directories', { image: 'i', volumes: ['/a:/b', { instance_path: '/c', path: '/d', optional: true }] }, { container: { mounts: [{ kind: 'instance', instancePath: '/a', path: '/b', optional: false }, { kind: 'instance', instancePath: '/c', path: '/d', optional: true }] } }],
    ['addresses of nodes', { commands: ['ping ${{ groups[0].nodes[0].IP_ADDRESS }}'] }, { commands: ['/bin/bash', '-i', '-c', expect.stringContaining('ping 10.0.0.1')] }],
  ])('%s', (_what, configuration, expected) => {
    expect(startOf(configuration)).toMatchObject(expected);
  }); // prettier-ignore

  it('a TPU: all of it, and none of the devices that the agent hands out', () => {
    const { job } = factsOf({}, {}, {});
    const { offer } = job.runtimeRecord;
    if (offer === null) throw new Error('no offer');
    const gpus = [{ vendor: 'google' as const, name: 'v5litepod-8', memory_mib: 131_072 }];
    const instance = { ...offer.instance, resources: { ...offer.instance.resources, gpus } };
    const onTpu = { ...job, runtimeRecord: { ...job.runtimeRecord, offer: { ...offer, instance } } };
    expect(startOf({}, { job: onTpu })).toMatchObject({ gpuCount: 0, env: { PJRT_DEVICE: 'TPU' } });
  });

  it('values of a fleet, below those of the run', () => {
    const start = startOf({ env: { B: 'run' } }, { hostEnv: { A: 'fleet', B: 'fleet' } });
    expect(start.env).toEqual({ A: 'fleet', B: 'run' });
  });

  it('where its router is, whatever the run says', () => {
    const start = startOf({ env: { DSTACK_ROUTER_INTERNAL_IP: 'mine' } }, { routerIp: '10.0.0.7' });
    expect(start.env).toEqual({ DSTACK_ROUTER_INTERNAL_IP: '10.0.0.7' });
  });

  it.each<[string, object, Partial<JobStartFacts>, object]>([
    ['branch and commit', {}, {}, { branch: 'main', hash: 'c0ffee', path: '~/r', ifExists: 'skip', singleBranch: true }],
    ['all branches', { single_branch: false }, {}, { singleBranch: false }],
    ['a token', {}, { repoCredentials: { clone_url: 'https://git.example.com/o/r.git', oauth_token: 't', private_key: null } }, { credentials: { oauthToken: 't' } }],
    ['a key', {}, { repoCredentials: { clone_url: 'ssh://git@x/o/r.git', oauth_token: null, private_key: 'k' } }, { url: 'ssh://git@x/o/r.git', credentials: { privateKey: 'k' } }],
  ])('a repository with %s', (_what, configuration, changes, expected) => {
    const repos = [{ url: 'https://git.example.com/o/r.git', path: '~/r', if_exists: 'skip' }];
    const repoData = { repo_type: 'remote', repo_name: 'r', repo_branch: 'main', repo_hash: 'c0ffee' };
    const start = startOf({ repos, ...configuration }, changes, { repo_id: 'r-1', repo_data: repoData });
    expect(start.repo).toMatchObject({ kind: 'remote', ...expected });
  }); // prettier-ignore

  it('files by the hash of their archive; those that are gone refuse the job', () => {
    const archived = (id: string) => ({ file_archives: [{ id, path: '/x' }] });
    expect(startOf({}, {}, archived('a1')).files).toEqual([{ blob: 'f'.repeat(64), path: '/x' }]);
    expect(() => startOf({}, {}, archived('gone'))).toThrow(JobRefusedError);
  });

  it.each<[string, object, Partial<JobStartFacts>, typeof JobRefusedError | typeof UnknownSecretError]>([
    ['a secret nobody has set', { env: { A: '${{ secrets.NONE }}' } }, {}, UnknownSecretError],
    ['a node without an address', { commands: ['ping ${{ groups[0].nodes[0].IP_ADDRESS }}'] }, { nodes: [{ group: 0, index: 0, ip: '' }] }, JobRefusedError],
    ['a container where only processes may run', { image: 'i' }, { runtimePreference: 'process' }, JobRefusedError],
  ])('refuses %s', (_what, configuration, changes, error) => {
    expect(() => startOf(configuration, changes)).toThrow(error);
  }); // prettier-ignore
});
