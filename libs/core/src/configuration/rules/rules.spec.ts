import { parseConfigurationValue } from '../parse-configuration.js';

type Row = readonly [rule: string, fields: object, issue: string | null];

const scaling = { metric: 'rps', target: 1 };

/** The base with some fields; the first issue as `kind path: message`, or null when it is accepted. */
function table(base: object, rows: readonly Row[]): void {
  it.each(rows)('%s: %j gives %s', (_rule, fields, issue) => {
    const parsed = parseConfigurationValue({ ...base, ...fields });
    const told = parsed.ok
      ? null
      : parsed.issues.map(({ kind, path, message }) => `${kind} ${path.join('.')}: ${message}`).join('\n');
    if (issue === null) expect(told).toBeNull();
    else expect(told).toContain(issue);
  });
}

describe('every run', () => {
  table({ type: 'task', commands: ['x'] }, [
    ['name', { name: 'my-run-1' }, null],
    ['name', { name: 'My' }, 'semantic name: resource name must match ^[a-z][a-z0-9-]{1,40}$'],
    ['name', { name: 'a' }, 'semantic name'],
    ['name', { name: 'a'.repeat(42) }, 'semantic name'],
    ['image or python', { image: 'i', python: '3.12' }, 'schema python: python and image are mutually exclusive'],
    ['image or docker', { image: 'i', docker: true }, 'schema image: image and docker'],
    ['docker: false excludes nothing', { image: 'i', docker: false }, null],
    ['docker or python', { docker: true, python: '3.12' }, 'schema python: python and docker'],
    ['docker or nvcc', { docker: true, nvcc: false }, 'schema nvcc: nvcc and docker'],
    ['image with nvcc', { image: 'i', nvcc: true }, null],
    ['one repo', { repos: ['.', '..'] }, 'schema repos: takes at most 1'],
    ['priority', { priority: 101 }, 'schema priority: must be at most 100'],
    ['retry duration', { retry: { duration: -1 } }, 'semantic retry.duration: must not be negative'],
    ['arm needs an image', { resources: { cpu: 'arm' } }, 'semantic resources.cpu'],
    ['arm with an image', { resources: { cpu: 'arm' }, image: 'i' }, null],
    ['arm with docker', { resources: { cpu: 'arm' }, docker: true }, 'semantic resources.cpu'],
    ['unknown key', { comands: [] }, 'schema comands: is not a known property'],
    ['as many nodes as can be', { nodes: 1000 }, null],
    ['too many nodes', { nodes: 1001 }, 'semantic nodes: asks for 1001 nodes, at most 1000'],
    [
      'a day that never comes',
      { schedule: { cron: '0 0 31 2 *' } },
      "schema schedule.cron: cron '0 0 31 2 *' names a day that never comes",
    ],
    ['a leap day', { schedule: { cron: '0 0 29 2 *' } }, null],
    ['a secret in env', { env: { A: 'x${{ secrets.A-1 }}' } }, null],
    ['an escape', { env: ['A=$${{ x }}'], commands: ['echo $${{ secrets.A }}'] }, null],
    [
      'another namespace in env',
      { env: { A: '${{ env.B }}' } },
      'semantic env.A: ${{ env.B }} is not filled in here: expected ${{ secrets.NAME }}',
    ],
    ['an open reference', { env: { A: '${{ secrets.B' } }, 'semantic env.A: "${{ secrets.B" is not closed'],
    [
      'a secret in a command',
      { commands: ['x', 'y ${{ secrets.K }}'] },
      'semantic commands.1: ${{ secrets.K }} is not filled in here: set env (K: ${{ secrets.K }}) and write $K',
    ],
    [
      'arguments and addresses in a command',
      { commands: ['${{ run.args }} ${{ groups[0].nodes[0].IP_ADDRESS }}'] },
      null,
    ],
    [
      'a reference elsewhere',
      { image: 'i:${{ secrets.T }}' },
      'semantic image: ${{ secrets.T }} is not filled in here: secrets go into env',
    ],
    ['a rank in a volume', { volumes: [{ name: 'v-${{ dstack.node_rank }}', path: '/v' }] }, null],
    [
      'another in a volume',
      { volumes: [{ name: 'v-${{ run.name }}', path: '/v' }] },
      'semantic volumes.0.name: ${{ run.name }}',
    ],
    ['a rank in a path', { volumes: [{ name: 'v', path: '/v/${{ dstack.node_rank }}' }] }, 'semantic volumes.0.path'],
    ['registry_auth', { image: 'i', registry_auth: { username: '${{ env.U }}', password: '${{ secrets.P }}' } }, null],
    ['null is unset', { name: null, env: null, resources: null, volumes: null, privileged: null }, null],
    ['numbers as text', { image: 3, working_dir: 4 }, null],
  ]);
});

describe('dev environment', () => {
  table({ type: 'dev-environment' }, [
    ['nothing is needed', {}, null],
    ['entrypoint', { entrypoint: 'x' }, 'schema entrypoint: entrypoint is not supported'],
    ['version needs ide', { version: '1' }, 'schema version: version requires ide'],
    ['windsurf version', { ide: 'windsurf', version: '1.2' }, 'schema version'],
    ['windsurf version', { ide: 'windsurf', version: '1.2@ab12' }, null],
    ['inactivity with dstack', { dstack: true, inactivity_duration: '1h' }, 'schema inactivity_duration'],
    ['inactivity off with dstack', { dstack: true, inactivity_duration: 'off' }, null],
    ['ide', { ide: 'emacs' }, 'schema ide: expected one of vscode, cursor, windsurf, zed'],
  ]);
});

describe('task', () => {
  table({ type: 'task' }, [
    ['something to run', {}, 'schema : either commands or image must be set'],
    ['an image is enough', { image: 'i' }, null],
    ['nodes', { commands: ['x'], nodes: 0 }, 'schema nodes: must be at least 1'],
    ['groups', { groups: [{ commands: ['x'] }] }, null],
    ['groups or nodes', { nodes: 2, groups: [{ commands: ['x'] }] }, 'schema nodes: nodes and groups'],
    ['no groups', { groups: [] }, 'schema groups: must not be empty'],
    [
      'too many in all groups',
      {
        groups: [
          { commands: ['x'], nodes: 600 },
          { commands: ['x'], nodes: 600 },
        ],
      },
      'semantic groups: asks for 1200 nodes',
    ],
    [
      'group names',
      {
        groups: [
          { name: 'a', commands: ['x'] },
          { name: 'a', commands: ['x'] },
        ],
      },
      'schema groups.1.name: duplicate group name',
    ],
    [
      'a group name may meet a position',
      { groups: [{ name: '1', commands: ['x'] }, { commands: ['x'] }] },
      'schema groups.1.name: duplicate group name',
    ],
    ['group name form', { groups: [{ name: '-a', commands: ['x'] }] }, 'schema groups.0.name'],
    ['commands above groups', { commands: ['x'], groups: [{ commands: ['x'] }] }, 'schema commands'],
    ['ports above groups', { ports: [1], groups: [{ commands: ['x'] }] }, 'schema ports'],
    ['entrypoint above groups', { entrypoint: 'x', groups: [{ commands: ['x'] }] }, 'schema entrypoint'],
    ['a group without commands', { groups: [{ nodes: 2 }] }, 'schema groups.0: either'],
    ['a group without commands, with an image', { image: 'i', groups: [{ nodes: 2 }] }, null],
  ]);
});

describe('service', () => {
  const group = { replicas: 1, commands: ['x'] };
  table({ type: 'service', port: 80, commands: ['x'] }, [
    ['port', { port: null }, 'schema port'],
    ['range needs scaling', { replicas: '1..2' }, 'schema replicas: scaling is required'],
    ['scaling needs range', { replicas: 2, scaling }, 'schema scaling: scaling is not allowed'],
    ['scaling without replicas', { scaling }, 'schema scaling: scaling is not allowed'],
    ['range with scaling', { replicas: '0..2', scaling }, null],
    ['open range', { replicas: '1..', scaling }, 'schema replicas: the maximum number'],
    ['same probes', { probes: [{ type: 'http' }, { type: 'http' }] }, 'schema probes.1: is the same'],
    ['body with get', { probes: [{ type: 'http', method: 'get', body: 'x' }] }, 'schema probes.0.body'],
    ['body without a method', { probes: [{ type: 'http', body: 'x' }] }, null],
    ['probe timeout', { probes: [{ type: 'http', timeout: '6m' }] }, 'semantic probes.0.timeout'],
    [
      'probe count',
      { probes: Array.from({ length: 11 }, (_, i) => ({ type: 'http', url: `/${i}` })) },
      'semantic probes: takes at most 10',
    ],
    ['same prefixes', { rate_limits: [{ rps: 1 }, { rps: 2 }] }, 'schema rate_limits.1.prefix: duplicate'],
    ['rate limits without gateway', { gateway: false, rate_limits: [{ rps: 1 }] }, 'semantic rate_limits'],
    ['scaling without gateway', { gateway: false, replicas: '1..2', scaling }, null],
    ['schedule to zero', { replicas: '0..2', scaling, schedule: { cron: '0 0 * * *' } }, 'semantic schedule'],
    ['schedule', { replicas: '1..2', scaling, schedule: { cron: '0 0 * * *' } }, null],
    ['https', { https: 'auto' }, null],
    ['https', { https: 'yes' }, null],
    ['https', { https: 'maybe' }, 'schema https: expected "auto"'],
    ['replicas or groups', { commands: [], replicas: 1, groups: [group] }, 'schema groups: replicas and groups'],
  ]);
  table({ type: 'service', port: 80 }, [
    ['something to run', {}, 'schema : either commands or image'],
    ['groups', { groups: [group] }, null],
    ['the older form', { replicas: [{ count: 1, commands: ['x'] }] }, null],
    ['issues are told at the older form', { replicas: [{ count: 1 }] }, 'schema replicas.0: either'],
    ['too many replicas', { commands: ['x'], replicas: 2000 }, 'semantic replicas: asks for 2000 replicas'],
    [
      'too many in all groups',
      {
        groups: [
          { ...group, replicas: 600 },
          { ...group, replicas: 600 },
        ],
      },
      'semantic groups: asks for 1200',
    ],
    ['count or replicas', { groups: [{ ...group, count: 1 }] }, 'schema groups.0.count'],
    ['neither count nor replicas', { groups: [{ commands: ['x'] }] }, 'schema groups.0.replicas: is required'],
    ['no groups', { groups: [] }, 'schema groups: must not be empty'],
    [
      'names',
      {
        groups: [
          { ...group, name: 'a' },
          { ...group, name: 'a' },
        ],
      },
      'schema groups.1.name: duplicate',
    ],
    ['scaling above', { scaling, groups: [group] }, 'schema scaling'],
    ['commands above', { commands: ['x'], groups: [group] }, 'schema commands'],
    ['entrypoint above', { entrypoint: 'x', groups: [group] }, 'schema entrypoint'],
    [
      'image at both levels',
      { image: 'a', groups: [{ ...group, image: 'b' }] },
      'schema groups.0.image: image is set for the service and for the group',
    ],
    ['privileged: false above', { privileged: false, groups: [{ ...group, privileged: true }] }, null],
    [
      'privileged at both levels',
      { privileged: true, groups: [{ ...group, privileged: false }] },
      'schema groups.0.privileged',
    ],
    [
      'spot_policy at both levels',
      { spot_policy: 'auto', groups: [{ ...group, spot_policy: 'spot' }] },
      'schema groups.0.spot_policy',
    ],
    [
      'image above, docker below',
      { image: 'a', groups: [{ ...group, docker: true }] },
      'schema groups.0.docker: docker of a group conflicts',
    ],
    ['image above, nvcc below', { image: 'a', groups: [{ ...group, nvcc: true }] }, 'schema groups.0.nvcc'],
    ['nvcc above, image below', { nvcc: true, groups: [{ ...group, image: 'a' }] }, 'schema groups.0.image'],
    ['python above, nvcc below', { python: '3.12', groups: [{ ...group, nvcc: true }] }, null],
    ['image in a group', { groups: [{ replicas: 1, image: 'a' }] }, null],
    ['image above', { image: 'a', groups: [{ replicas: 1 }] }, null],
    ['python is nothing to run', { groups: [{ replicas: 1, python: '3.12' }] }, 'schema groups.0: either'],
    [
      'docker needs privileges',
      { groups: [{ ...group, docker: true, privileged: false }] },
      'schema groups.0.privileged: docker',
    ],
    ['group scaling', { groups: [{ ...group, replicas: '1..2' }] }, 'schema groups.0.replicas: scaling is required'],
    [
      'one router',
      {
        groups: [
          { ...group, router: {} },
          { ...group, router: {} },
        ],
      },
      'schema groups.1.router',
    ],
    [
      'one replica of a router',
      { groups: [{ ...group, replicas: 2, router: {} }] },
      'schema groups.0.replicas: a group with a router',
    ],
    ['dynamo does not retry', { retry: true, groups: [{ ...group, router: { type: 'dynamo' } }] }, 'schema retry'],
    ['dynamo with retry: false', { retry: false, groups: [{ ...group, router: { type: 'dynamo' } }] }, null],
    ['sglang retries', { retry: true, groups: [{ ...group, router: {} }] }, null],
  ]);
});

describe('fleet', () => {
  table({ type: 'fleet' }, [
    ['nodes', { nodes: 2 }, null],
    ['hosts', { ssh_config: { hosts: ['h'] } }, null],
    ['neither', {}, 'semantic : either nodes or ssh_config'],
    ['too many nodes', { nodes: 1001 }, 'semantic nodes: asks for 1001 nodes'],
    ['a target too high', { nodes: { min: 0, target: 1001 } }, 'semantic nodes'],
    ['an upper end asks for nothing', { nodes: '0..100000' }, null],
    [
      'slices of several hosts',
      { nodes: 2, resources: { gpu: 'tpu:v5p-16' } },
      'semantic resources.gpu: v5p-16 is made of several hosts',
    ],
    [
      'a target of slices',
      { nodes: { min: 0, target: 4 }, resources: { gpu: 'v5litepod-16' } },
      'semantic resources.gpu: v5litepod-16',
    ],
    ['slices that tasks have made', { nodes: '0..4', resources: { gpu: 'tpu:v5p-16' } }, null],
    ['slices or what is one host', { nodes: 2, resources: { gpu: 'v5p-16,v5p-8' } }, null],
    ['TPUs of one host', { nodes: 2, resources: { gpu: 'tpu:v5litepod-8' } }, null],
    ['both', { nodes: 1, ssh_config: { hosts: ['h'] } }, 'semantic ssh_config: nodes and ssh_config'],
    ['cloud fields of hosts', { ssh_config: { hosts: ['h'] }, spot_policy: 'auto' }, 'semantic spot_policy'],
    ['env of nodes', { nodes: 1, env: ['A=1'] }, 'semantic env'],
    ['env of hosts', { env: ['A=1'], ssh_config: { hosts: ['h'] } }, null],
    [
      'some internal_ip',
      { ssh_config: { hosts: ['h', { hostname: 'g', internal_ip: '10.0.0.1' }] } },
      'semantic ssh_config.hosts: internal_ip',
    ],
    [
      'internal_ip and network',
      { ssh_config: { network: '10.0.0.0/8', hosts: [{ hostname: 'g', internal_ip: '10.0.0.1' }] } },
      'semantic ssh_config.network',
    ],
    [
      'public internal_ip',
      { ssh_config: { hosts: [{ hostname: 'g', internal_ip: '8.8.8.8' }] } },
      'schema ssh_config.hosts.0.internal_ip',
    ],
    ['host twice', { ssh_config: { hosts: ['h', { hostname: 'h' }] } }, 'semantic ssh_config.hosts.1: duplicate host'],
    ['no hosts', { ssh_config: { hosts: [] } }, 'semantic ssh_config.hosts: needs at least one'],
    ['a field of runs', { nodes: 1, max_duration: '1h' }, 'schema max_duration: is not a known property'],
  ]);
});

describe('gateway', () => {
  table({ type: 'gateway', backend: 'aws', region: 'r' }, [
    ['defaults', {}, null],
    ['replicas', { replicas: 4, certificate: null }, 'semantic replicas: must be at most 3'],
    ['replicas', { replicas: 3, certificate: null }, null],
    ['lets-encrypt with replicas, which share it', { replicas: 2 }, null],
    ['lets-encrypt without a public IP', { public_ip: false }, 'semantic certificate'],
    ['acm', { certificate: { type: 'acm', arn: 'a' } }, null],
    ['acm elsewhere', { backend: 'gcp', certificate: { type: 'acm', arn: 'a' } }, 'semantic certificate: an acm'],
    [
      'acm of the region',
      { region: 'eu-west-1', certificate: { type: 'acm', arn: 'arn:aws:acm:eu-west-1:123456789012:certificate/1' } },
      null,
    ],
    [
      'acm of another region',
      { region: 'eu-west-1', certificate: { type: 'acm', arn: 'arn:aws:acm:us-east-1:123456789012:certificate/1' } },
      'semantic certificate.arn: is in us-east-1, and the gateway in eu-west-1',
    ],
    ['a type of pod', { backend: 'kubernetes', instance_type: 'large' }, 'semantic instance_type: a gateway on'],
    ['acm without arn', { certificate: { type: 'acm' } }, 'schema certificate.arn: is required'],
    ['domain', { domain: '${{ run.project_name }}.example.com' }, null],
    ['domain', { domain: '${{ run.name }}.example.com' }, 'semantic domain: unknown reference'],
    ['region', { region: null }, 'schema region: expected text'],
    ['own hosts', { backend: 'ssh', region: null, ssh_config: { user: 'u', hosts: ['a', 'b'] } }, null],
    ['own hosts without hosts', { backend: 'ssh' }, 'semantic ssh_config'],
    ['own hosts in a cloud', { ssh_config: { hosts: ['a'] } }, 'semantic ssh_config'],
    ['the same host twice', { backend: 'ssh', ssh_config: { hosts: ['a', 'a'] } }, 'semantic ssh_config.hosts'],
    ['too many hosts', { backend: 'ssh', ssh_config: { hosts: ['a', 'b', 'c', 'd'] } }, 'semantic ssh_config.hosts'],
    ['another number', { backend: 'ssh', replicas: 2, ssh_config: { hosts: ['a'] } }, 'semantic replicas'],
  ]);
});

describe('volume', () => {
  table({ type: 'volume', backend: 'aws', region: 'r' }, [
    ['size', { size: '100GB' }, null],
    ['id', { volume_id: 'v' }, null],
    ['neither', {}, 'semantic : either size or volume_id'],
    [
      'cleanup of an external volume',
      { volume_id: 'v', auto_cleanup_duration: '1d' },
      'semantic auto_cleanup_duration',
    ],
    ['cleanup off', { volume_id: 'v', auto_cleanup_duration: 'off' }, null],
    ['backend', { backend: 'azure' }, 'schema backend: expected one of aws, gcp, runpod, kubernetes'],
    ['claim', { backend: 'kubernetes', claim_name: 'c', region: null }, null],
    ['claim elsewhere', { claim_name: 'c' }, 'schema claim_name: is not a known property'],
  ]);
  it('the zone of a runpod volume is dropped', () => {
    const parsed = parseConfigurationValue({
      type: 'volume',
      backend: 'runpod',
      region: 'r',
      size: 1,
      availability_zone: 'z',
    });
    expect(parsed).toMatchObject({ ok: true, value: { backend: 'runpod', region: 'r', size: 1 } });
    expect(parsed.ok && 'availability_zone' in parsed.value).toBe(false);
  });
});

describe('preset', () => {
  table({ type: 'preset', model: 'm' }, [
    ['a model', {}, null],
    ['model and base', { base: 'b' }, 'schema model: model, base and repo'],
    ['no model', { model: null }, 'schema model: is required'],
    ['repo', { model: null, repo: 'r' }, null],
    ['tokens of another dataset', { dataset: 'x', input_tokens: 5 }, 'schema input_tokens: input_tokens needs'],
    ['shared prefix', { shared_prefix_tokens: 1024 }, 'schema shared_prefix_tokens'],
    ['output tokens', { output_tokens: 1 }, 'schema output_tokens: must be at least 2'],
    ['prompt length', { prompt: 'x'.repeat(10_001) }, 'schema prompt: must have at most'],
    ['prompt file', { prompt: { path: 'p.md' } }, null],
    ['concurrency', { concurrency: 0 }, 'schema concurrency: must be at least 1'],
  ]);
});
