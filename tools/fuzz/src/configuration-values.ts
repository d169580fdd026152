import fc from 'fast-check';

/** The short forms of the configuration language, and what comes close to them. */
const SHORT_FORMS = [
  ...[
    '80',
    '80:90',
    '*:22',
    '8000:8000',
    '1',
    '2..',
    '..8',
    '1..2',
    '4GB',
    '16GB..',
    'A100:80GB:2',
    'nvidia',
    'arm:8',
    'x86',
  ],
  ...[
    '1h',
    '90',
    'off',
    '2d',
    'A=b',
    'A',
    'name:/mnt',
    '/a:/b',
    './x:/y',
    'https://example.org/r.git',
    'git@example.org:r.git:/x',
  ],
  ...[
    'ubuntu',
    'spot',
    'auto',
    'on-demand',
    '* * * * *',
    '3.12',
    '10.0.0.0/8',
    '10.0.0.1',
    'a/b',
    '${{ secrets.secret_1 }}',
    '~/x',
  ],
] as const;

export const configurationTexts: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...SHORT_FORMS) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...'0123456789.:*/=GMBgmb-,@${} '), maxLength: 14 }) },
);

const NAMES = ['run-1', 'run-2', 'fleet-1', undefined] as const;

const run = fc.record(
  {
    name: fc.constantFrom(...NAMES),
    image: fc.constantFrom('ubuntu', 'a/b:c', undefined),
    env: fc.constantFrom<unknown>(['A=1', 'B'], { A: 'x' }, { A: '${{ secrets.secret_1 }}' }),
    resources: fc.constantFrom<unknown>(
      { cpu: 1 },
      { gpu: 'A100:80GB:2', memory: '1GB..' },
      { cpu: '2..', disk: null },
    ),
    max_duration: fc.constantFrom<unknown>('1h', 'off', 90),
    retry: fc.constantFrom<unknown>(true, { on_events: ['error'], duration: '1h' }),
    fleets: fc.constantFrom<unknown>(['fleet-1'], ['other/fleet-1']),
    volumes: fc.constantFrom<unknown>(['v:/mnt'], ['/tmp:/host']),
    schedule: fc.constantFrom<unknown>({ cron: '0 0 * * *' }),
    registry_auth: fc.constantFrom<unknown>({ username: 'u', password: '${{ secrets.secret_1 }}' }),
    tags: fc.constantFrom<unknown>({ a: 'b' }),
    priority: fc.integer({ min: 0, max: 100 }),
    backends: fc.constantFrom<unknown>(['aws'], ['remote']),
  },
  { requiredKeys: [] },
);

/** Configurations that most readers take: the way behind the parser leads through them. */
export const workingConfigurations: fc.Arbitrary<unknown> = fc
  .tuple(
    fc.constantFrom<object>(
      { type: 'task', commands: ['true'] },
      { type: 'task', commands: ['true'], nodes: 2 },
      { type: 'task', groups: [{ name: 'a', nodes: 1, commands: ['true'] }] },
      { type: 'dev-environment', ide: 'vscode' },
      { type: 'service', port: 80, commands: ['true'], replicas: '1..2', scaling: { metric: 'rps', target: 1 } },
      { type: 'fleet', nodes: '0..2' },
      { type: 'fleet', ssh_config: { user: 'u', hosts: ['127.0.0.1'], identity_file: '~/x' } },
      { type: 'volume', backend: 'aws', region: 'eu', size: '1GB' },
      { type: 'gateway', backend: 'aws', region: 'eu', domain: 'example.org' },
    ),
    run,
  )
  .map(([base, fields]) => {
    const name = { ...('name' in fields && fields.name !== undefined ? { name: fields.name } : {}) };
    const isRun = 'commands' in base || 'ide' in base || 'groups' in base;
    return isRun ? { ...base, ...defined(fields) } : { ...base, ...name };
  });

function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
