import type * as Wire from '../wire/generated/api.js';
import { decideApply, planAction } from './decide-apply.js';
import { diffValues, formatChange } from './diff.js';
import { checkRunUpdate } from './update-run.js';

type Configuration = Wire.RunSpec['configuration'];

const spec = (configuration: Configuration, rest: Partial<Wire.RunSpec> = {}): Wire.RunSpec => ({
  run_name: 'r',
  configuration,
  ...rest,
});
const task = (overrides: Partial<Wire.TaskConfiguration> = {}): Configuration => ({
  type: 'task',
  commands: ['a'],
  ...overrides,
});
const dev = (overrides: Partial<Wire.DevEnvironmentConfiguration> = {}): Configuration => ({
  type: 'dev-environment',
  ...overrides,
});
const service = (overrides: Partial<Wire.ServiceConfiguration> = {}): Configuration => ({
  type: 'service',
  port: 80,
  commands: ['a'],
  ...overrides,
});
const group = (overrides: Partial<Wire.ReplicaGroup> = {}): Wire.ReplicaGroup => ({
  name: 'g',
  count: { min: 1, max: 1 },
  commands: ['a'],
  ...overrides,
});
const router = (type: 'sglang' | 'dynamo') => group({ name: 'router', router: { type } });

const verdict = (before: Wire.RunSpec, after: Wire.RunSpec) => {
  const { effect, blockers } = checkRunUpdate(before, after);
  return blockers.length > 0 ? 'blocked' : effect;
};

it.each([
  ['nothing', task(), task(), null],
  ['unset and null', task({ image: null }), task(), null],
  ['priority', task({ priority: 0 }), task({ priority: 5 }), 'in-place'],
  ['commands of a task', task(), task({ commands: ['b'] }), 'blocked'],
  ['max_price of a task', task(), task({ max_price: 1 }), 'blocked'],
  ['inactivity of a dev environment', dev(), dev({ inactivity_duration: 60 }), 'in-place'],
  ['init of a dev environment', dev(), dev({ init: ['a'] }), 'blocked'],
  [
    'dropping the architecture',
    task({ resources: { cpu: { arch: 'x86' } } }),
    task({ resources: { cpu: { arch: null } } }),
    'in-place',
  ],
  ['naming an architecture', task({ resources: {} }), task({ resources: { cpu: { arch: 'arm' } } }), 'blocked'],
  ['replicas', service({ replicas: { min: 1, max: 1 } }), service({ replicas: { min: 2, max: 2 } }), 'in-place'],
  ['scaling', service(), service({ scaling: { metric: 'rps', target: 1 } }), 'in-place'],
  ['commands of a service', service(), service({ commands: ['b'] }), 'rolling'],
  ['env of a service', service(), service({ env: { A: '1' } }), 'rolling'],
  ['env and replicas', service(), service({ env: { A: '1' }, replicas: { min: 2, max: 2 } }), 'rolling'],
  ['gateway', service(), service({ gateway: false }), 'blocked'],
  ['model', service(), service({ model: { name: 'm', format: 'openai' } }), 'blocked'],
  ['auth', service(), service({ auth: false }), 'blocked'],
  ['max_price of a service', service(), service({ max_price: 1 }), 'blocked'],
  ['https unset to true', service({ https: null }), service({ https: true }), 'in-place'],
  ['https true to auto', service({ https: true }), service({ https: 'auto' }), 'blocked'],
  [
    'the count of a group',
    service({ replicas: [group()] }),
    service({ replicas: [group({ count: { min: 2, max: 2 } })] }),
    'in-place',
  ],
  ['a new group', service({ replicas: [group()] }), service({ replicas: [group(), group({ name: 'h' })] }), 'in-place'],
  [
    'the commands of a group',
    service({ replicas: [group()] }),
    service({ replicas: [group({ commands: ['b'] })] }),
    'rolling',
  ],
  ['adding a router', service({ replicas: [group()] }), service({ replicas: [group(), router('sglang')] }), 'blocked'],
  [
    'another type of router',
    service({ replicas: [router('sglang')] }),
    service({ replicas: [router('dynamo')] }),
    'blocked',
  ],
  [
    'env beside an sglang router',
    service({ replicas: [router('sglang')] }),
    service({ replicas: [router('sglang')], env: { A: '1' } }),
    'rolling',
  ],
  [
    'env beside a Dynamo router',
    service({ replicas: [router('dynamo')] }),
    service({ replicas: [router('dynamo')], env: { A: '1' } }),
    'blocked',
  ],
  [
    'another group beside a Dynamo router',
    service({ replicas: [router('dynamo'), group()] }),
    service({ replicas: [router('dynamo'), group({ commands: ['b'] })] }),
    'rolling',
  ],
  ['the type', task(), dev(), 'blocked'],
] as const)('changing %s', (_what, before, after, expected) =>
  expect(verdict(spec(before), spec(after))).toBe(expected),
);

it.each([
  ['the path', { configuration_path: 'a' }, { configuration_path: 'b' }, 'in-place', 'in-place'],
  ['the code', { repo_code_hash: 'a' }, { repo_code_hash: 'b' }, 'blocked', 'rolling'],
  ['the archives', { file_archives: [] }, { file_archives: [{ id: 'a', path: 'p' }] }, 'blocked', 'rolling'],
  ['the profile', { profile: { name: 'a' } }, { profile: { name: 'b' } }, 'blocked', 'blocked'],
  ['the key', { ssh_key_pub: 'a' }, { ssh_key_pub: 'b' }, 'blocked', 'blocked'],
  ['the repo', { repo_id: 'a' }, { repo_id: 'b' }, 'blocked', 'blocked'],
] as const)('changing %s of the spec', (_what, before, after, ofTask, ofService) => {
  const copy = <T>(value: T): Partial<Wire.RunSpec> => structuredClone(value) as Partial<Wire.RunSpec>;
  expect(verdict(spec(task(), copy(before)), spec(task(), copy(after)))).toBe(ofTask);
  expect(verdict(spec(service(), copy(before)), spec(service(), copy(after)))).toBe(ofService);
});

it('takes other files as the same run while their archives are the same', () => {
  const files = (path: string, id: string) =>
    spec(task({ files: [{ local_path: path, path: 'p' }] }), { file_archives: [{ id, path: 'p' }] });
  expect(verdict(files('/a', '1'), files('/b', '1'))).toBe('in-place');
  expect(verdict(files('/a', '1'), files('/b', '2'))).toBe('blocked');
});

describe('what changes', () => {
  it('is told leaf by leaf, old and new', () => {
    const before = spec(task({ max_price: 1, resources: { memory: { min: 8 } }, tags: { a: '1' } }));
    const after = spec(task({ commands: ['a', 'b'], resources: { memory: { min: 16 } }, tags: { a: '1', b: '2' } }));
    expect(diffValues(before, after).map(formatChange)).toEqual([
      'configuration.commands: ["a"] → ["a","b"]',
      'configuration.max_price: 1 → (unset)',
      'configuration.resources.memory.min: 8 → 16',
      'configuration.tags.b: (unset) → 2',
    ]);
  });
  it('never shows what may be secret', () => {
    const before = spec(task({ env: { TOKEN: 'old' }, registry_auth: { username: 'u', password: 'old' } }), {
      ssh_key_pub: 'old',
    });
    const after = spec(task({ env: { TOKEN: 'new' }, registry_auth: { username: 'u', password: 'new' } }), {
      ssh_key_pub: 'new',
    });
    const text = diffValues(before, after).map(formatChange).join('\n');
    expect(text).toContain('configuration.env.TOKEN: changed');
    expect(text).not.toMatch(/old|new/);
  });
  it('fits on a line', () => {
    const [line = ''] = diffValues({ a: 'x\ny' }, { a: 'z'.repeat(200) }).map(formatChange);
    expect(line.startsWith('a: x ⏎ y → zzz')).toBe(true);
    expect(line.length).toBeLessThan(110);
  });
});

describe('applying', () => {
  const stored = (status: Wire.RunStatus, configuration = service()) => ({
    id: 'run-1',
    status,
    run_spec: spec(configuration),
  });
  const apply = (
    current: ReturnType<typeof stored> | null,
    next: Configuration,
    rest: { seen?: ReturnType<typeof stored> | null; force?: boolean } = {},
  ) =>
    decideApply({
      next: spec(next),
      current,
      seen: rest.seen === undefined ? current : rest.seen,
      force: rest.force ?? false,
    });

  it('creates what is not there', () => {
    expect(apply(null, task())).toEqual({ do: 'create', replaces: null });
    expect(apply(stored('failed'), task())).toEqual({ do: 'create', replaces: 'run-1' });
  });
  it('updates what is active', () => {
    const decision = apply(stored('running'), service({ env: { A: '1' } }));
    expect(decision).toEqual({
      do: 'update',
      runId: 'run-1',
      effect: 'rolling',
      changes: ['configuration.env: changed'],
    });
  });
  it('rejects what needs a stop, and says what', () => {
    const decision = apply(stored('running'), service({ auth: false, max_price: 2 }));
    expect(decision.do === 'reject' && decision.message).toContain(
      'Stop it first:\n- configuration.auth: (unset) → false\n- configuration.max_price: (unset) → 2',
    );
  });
  it('rejects what was decided on another state, unless forced', () => {
    const next = service({ env: { A: '1' } });
    expect(apply(stored('running'), next, { seen: null }).do).toBe('reject');
    expect(apply(stored('running'), next, { seen: { ...stored('running'), id: 'run-0' } }).do).toBe('reject');
    expect(apply(stored('running'), next, { seen: stored('running', service({ port: 81 })) }).do).toBe('reject');
    expect(apply(stored('running'), next, { seen: null, force: true }).do).toBe('update');
  });
  it('plans the same', () => {
    expect(planAction(null, spec(task())).action).toBe('create');
    expect(planAction(stored('done'), spec(task())).action).toBe('create');
    expect(planAction(stored('running'), spec(service({ env: { A: '1' } }))).action).toBe('update');
    expect(planAction(stored('running'), spec(service())).action).toBe('update');
    expect(planAction(stored('running'), spec(service({ auth: false })))).toMatchObject({
      action: 'create',
      blockers: ['configuration.auth: (unset) → false'],
    });
  });
});
