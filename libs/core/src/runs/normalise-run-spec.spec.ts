import type * as Wire from '../wire/generated/api.js';
import { normaliseRunSpec } from './normalise-run-spec.js';
import { isRunSpecError } from './run-spec-error.js';
import { RUN_SPEC_LIMITS } from './run-spec-rules.js';

type Configuration = Wire.RunSpec['configuration'];
const options = { userSshPublicKey: 'ssh-ed25519 user' };
const normalise = (configuration: Configuration, spec: Partial<Wire.RunSpec> = {}) =>
  normaliseRunSpec({ configuration, ...spec }, options);
const issues = (configuration: Configuration, spec: Partial<Wire.RunSpec> = {}, limits = RUN_SPEC_LIMITS) => {
  try {
    normaliseRunSpec({ configuration, ...spec }, { ...options, limits });
    return [];
  } catch (error) {
    if (isRunSpecError(error)) return error.issues.map((issue) => issue.message);
    throw error;
  }
};
const task = (overrides: Partial<Wire.TaskConfiguration> = {}): Configuration => ({
  type: 'task',
  commands: ['a'],
  ...overrides,
});
const service = (overrides: Partial<Wire.ServiceConfiguration> = {}): Configuration => ({
  type: 'service',
  port: 80,
  commands: ['a'],
  ...overrides,
});
const arm = { cpu: { arch: 'arm' } } as const;
const amd = { gpu: { name: ['MI300X'], count: { min: 1 } } };

it.each([
  ['a task', task(), []],
  ['a name', task({ name: 'Bad_Name' }), [expect.stringContaining("run name 'Bad_Name' must match")]],
  [
    'a volume path that ends with /',
    task({ volumes: [{ name: 'v', path: '/a/' }] }),
    ["volume path '/a/' must not end with '/'"],
  ],
  ['a relative volume path', task({ volumes: [{ name: 'v', path: 'a' }] }), ["volume path 'a' must be absolute"]],
  ['a volume at the root', task({ volumes: [{ name: 'v', path: '/' }] }), []],
  [
    'a window longer than the metrics',
    task({ utilization_policy: { min_gpu_utilization: 1, time_window: 7200 } }),
    [expect.stringContaining('metrics are kept for 3600s')],
  ],
  ['a negative retry', task({ retry: { duration: -1 } }), ['retry.duration must not be negative']],
  [
    'a slow probe',
    service({ probes: [{ type: 'http', timeout: 400 }] }),
    ['probe timeout 400s is over the limit of 300s'],
  ],
  [
    'many probes',
    service({ probes: Array.from({ length: 11 }, () => ({ type: 'http' as const })) }),
    ['11 probes, at most 10 are allowed'],
  ],
  [
    'a schedule of nothing',
    service({ schedule: { cron: ['0 0 * * *'] }, replicas: { min: 0, max: 1 } }),
    [expect.stringContaining('must start at least one replica')],
  ],
  ['a schedule of something', service({ schedule: { cron: ['0 0 * * *'] } }), []],
  ['nothing to run', task({ commands: [] }), ['the configuration has nothing to run: set `commands` or `image`']],
  ['an image to run', task({ commands: [], image: 'a' }), []],
  [
    'a group with nothing to run',
    { type: 'task', groups: [{ commands: ['a'] }, { name: 'w' }] },
    [expect.stringContaining("group 'w' has nothing to run")],
  ],
  ['arm without image', task({ resources: arm }), ['the default image is x86 only: set `image` to use arm']],
  [
    'arm with docker',
    task({ resources: arm, docker: true }),
    ['docker: true runs on x86 only, but resources ask for arm'],
  ],
  ['arm with image', task({ resources: arm, image: 'a' }), []],
  ['AMD without image', task({ resources: amd }), ['the default image has no libraries for amd: set `image`']],
  ['AMD with image', task({ resources: amd, image: 'a' }), []],
  [
    'AMD in a group',
    { type: 'task', groups: [{ commands: ['a'] }, { commands: ['a'], resources: amd }] },
    ['groups[1]: the default image has no libraries for amd: set `image`'],
  ],
  ['a TPU', task({ resources: { gpu: { name: ['v5litepod-8'], count: { min: 1 } } } }), []],
  [
    'unset variables',
    task({ env: { B: { key: 'B' }, A: { key: 'A' }, C: '1' } }),
    ['no value for environment variables: A, B'],
  ],
  [
    'a reference to a node',
    { type: 'task', groups: [{ nodes: 2, commands: ['a ${{ groups[0].nodes[1].IP_ADDRESS }}'] }] },
    [],
  ],
  [
    'a reference too far',
    { type: 'task', groups: [{ nodes: 2, commands: ['a ${{ groups[0].nodes[2].IP_ADDRESS }}'] }] },
    [expect.stringContaining('group 0 always has 2 nodes')],
  ],
  [
    'a reference to no group',
    task({ commands: ['${{ groups[1].nodes[0].IP_ADDRESS }}'] }),
    [expect.stringContaining('there are 1 groups')],
  ],
  [
    'a reference to replicas of a task',
    task({ commands: ['${{ groups[0].replicas[0].IP_ADDRESS }}'] }),
    [expect.stringContaining('have nodes, not replicas')],
  ],
  [
    'a misspelt reference',
    task({ commands: ['${{ groups[0].node[0].IP_ADDRESS }}'] }),
    [expect.stringContaining('is not a reference')],
  ],
  [
    'a reference to replicas that may not be',
    service({ replicas: [{ count: { min: 0, max: 1 }, commands: ['${{ groups[0].replicas[0].IP_ADDRESS }}'] }] }),
    [expect.stringContaining('group 0 always has 0 replicas')],
  ],
])('%s', (_case, configuration, expected) => expect(issues(configuration as Configuration)).toEqual(expected));

it('tells everything at once', () => expect(issues(task({ commands: [], resources: arm, name: 'X' }))).toHaveLength(3));

it('wants the repo and its data together', () => {
  expect(issues(task(), { repo_id: 'r' })).toEqual(['repo_id and repo_data belong together: give both or neither']);
  expect(normalise(task(), { repo_id: 'r', repo_data: { repo_type: 'virtual' } }).repo_id).toBe('r');
});

it('may forbid access to the server', () => {
  expect(issues(task({ dstack: true }))).toEqual([]);
  expect(issues(task({ dstack: true }), {}, { ...RUN_SPEC_LIMITS, forbidDstackAccess: true })).toHaveLength(1);
});

it('keeps the key of the request', () => {
  expect(normalise(task(), { ssh_key_pub: 'mine' }).ssh_key_pub).toBe('mine');
  expect(normalise(task()).ssh_key_pub).toBe('ssh-ed25519 user');
});

it('does not change what it was given', () => {
  const configuration = task({ resources: {} });
  const before = structuredClone(configuration);
  normalise(configuration);
  expect(configuration).toEqual(before);
});

it.each([
  ['nothing is NVIDIA with the default image', {}, {}, 'nvidia'],
  ['nothing is anything with an image', {}, { image: 'a' }, null],
  ['nothing is anything with docker', {}, { docker: true }, null],
  ['a known name tells', { name: ['MI300X'], count: { min: 1 } }, { image: 'a' }, 'amd'],
  ['names of several vendors do not', { name: ['MI300X', 'A100'], count: { min: 1 } }, { image: 'a' }, null],
  ['unknown names do not', { name: ['X9000'], count: { min: 1 } }, {}, null],
  ['no gpu has no vendor', { count: { min: 0, max: 0 } }, {}, null],
  ['what is said stays', { vendor: 'amd', count: { min: 1 } }, { image: 'a' }, 'amd'],
] as const)('gpu vendor: %s', (_rule, gpu, image, vendor) => {
  const { configuration } = normalise(
    task({
      resources: { gpu: { ...gpu, ...('name' in gpu ? { name: [...gpu.name] } : {}) } },
      ...image,
    } as Partial<Wire.TaskConfiguration>),
  );
  expect(configuration.resources?.gpu?.vendor).toBe(vendor);
});

it('assumes no vendor when only offers are asked for', () => {
  const { configuration } = normaliseRunSpec(
    { configuration: task({ resources: { gpu: { count: { min: 0 } } } }) },
    { ...options, forOffersOnly: true },
  );
  expect(configuration.resources?.gpu?.vendor).toBeUndefined();
});
