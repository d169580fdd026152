import type { z } from 'zod';
import { profileParameters } from '../../profiles/profile-parameters.js';
import { runSchema } from '../schema/run-schema.js';
import { SourcedNumber } from '../schema/sourced-number.js';
import { blocks } from './blocks.js';
import { containerUser } from './container-user.js';
import { duration, idleDuration, inactivityDuration, offableDuration } from './duration.js';
import { entityReference } from './entity-reference.js';
import { env } from './env.js';
import { fileMapping } from './file-mapping.js';
import { fleetNodes } from './fleet-nodes.js';
import { instanceSelector } from './instance-selector.js';
import { mountPoint } from './mount-point.js';
import { portMapping, servicePort } from './port.js';
import { isPrivateAddress, isPrivateNetwork } from './private-address.js';
import { probe } from './probe.js';
import { pythonVersion } from './python-version.js';
import { rateLimit } from './rate-limit.js';
import { replicaCount } from './replica-count.js';
import { repoSpec } from './repo-spec.js';
import { scaling } from './scaling.js';
import { schedule } from './schedule.js';
import { serviceModel } from './service-model.js';
import { shell } from './shell.js';
import { tags } from './tags.js';
import { flag } from '../schema/scalars.js';

type Row = readonly [written: unknown, read: unknown];
type Refusal = readonly [written: unknown, message: string];

function field(name: string, schema: z.ZodType, accepted: readonly Row[], refused: readonly Refusal[]): void {
  describe(name, () => {
    it.each(accepted)('%j is %j', (written, value) => {
      expect(runSchema(schema, written)).toEqual({ ok: true, value });
    });
    it.each(refused)('%j is refused: %s', (written, message) => {
      const parsed = runSchema(schema, written);
      expect(parsed.ok ? parsed : parsed.issues.map((issue) => issue.message).join('\n')).toContain(message);
    });
  });
}

const noDuration = 'cannot parse duration';

field(
  'duration',
  duration(),
  [
    [90, 90],
    [1.9, 1],
    ['90', 90],
    ['90s', 90],
    ['10 m', 600],
    ['2h', 7200],
    ['1d', 86_400],
    ['1w', 604_800],
    [-5, -5],
  ],
  [
    ['1.5h', noDuration],
    ['1h30m', noDuration],
    ['month', noDuration],
    ['', noDuration],
    ['-2h', noDuration],
    ['99999999999999999999w', noDuration],
    [true, noDuration],
    [undefined, 'is required'],
  ],
);

field(
  'offable duration',
  offableDuration(),
  [
    ['2h', 7200],
    ['off', 'off'],
    ['no', 'off'],
    [false, 'off'],
    [true, null],
    ['on', null],
    [0, 0],
  ],
  [
    [-1, 'must not be negative'],
    ['later', noDuration],
  ],
);
field(
  'idle duration',
  idleDuration(),
  [
    ['3d', 259_200],
    ['off', -1],
    [false, -1],
    [-1, -1],
    [-7, -7],
    [true, null],
  ],
  [['later', noDuration]],
);
field(
  'inactivity duration',
  inactivityDuration(),
  [
    ['3h', 10_800],
    ['off', null],
    [false, null],
    [true, null],
  ],
  [[-1, 'must not be negative']],
);
field(
  'flag',
  flag(),
  [
    [true, true],
    ['yes', true],
    ['On', true],
    ['no', false],
    ['off', false],
    ['false', false],
  ],
  [
    [1, 'expected true or false'],
    ['maybe', 'expected true or false'],
  ],
);

const port = (local_port: number | null, container_port: number) => ({ local_port, container_port });
field(
  'port',
  portMapping(),
  [
    [8080, port(8080, 8080)],
    ['8080', port(8080, 8080)],
    ['80:8080', port(80, 8080)],
    ['*:8080', port(null, 8080)],
    [{ container_port: 80 }, port(null, 80)],
    [{ local_port: 1, container_port: '80' }, port(1, 80)],
  ],
  [
    ['80:', 'invalid port'],
    ['', 'invalid port'],
    [':80', 'invalid port'],
    ['a', 'invalid port'],
    [0, 'invalid port'],
    [65_536, 'invalid port'],
    ['1:2:3', 'invalid port'],
    ['0:80', 'invalid port'],
    [{ local_port: 1 }, 'is required'],
    [{ container_port: 70_000 }, 'at most 65535'],
  ],
);
field(
  'service port',
  servicePort(),
  [
    [8000, port(80, 8000)],
    ['8000', port(80, 8000)],
    ['80:8000', port(80, 8000)],
    [{ container_port: 1 }, port(null, 1)],
  ],
  [
    ['*:80', 'invalid port'],
    [undefined, 'is required'],
  ],
);

field(
  'env',
  env(),
  [
    [['A=1', 'B=', 'C', 'D=x=y'], { A: '1', B: '', C: { key: 'C' }, D: 'x=y' }],
    [
      { A: 1, B: 'x', C: { key: 'OTHER' } },
      { A: '1', B: 'x', C: { key: 'OTHER' } },
    ],
    [{ V: new SourcedNumber(1, '1.0') }, { V: '1.0' }],
    [{ MULTI: 'a\nb' }, { MULTI: 'a\nb' }],
    [null, {}],
    [undefined, {}],
  ],
  [
    [['A=1', 'A=2'], 'duplicate environment variable A'],
    [['1A=x'], 'is not an environment variable name'],
    [['A=x\ny'], 'has a line break'],
    [{ A: true }, 'expected text'],
    [{ A: null }, 'expected text'],
    [{ A: { name: 'x' } }, 'not a known property'],
    ['A=1', 'expected a list of KEY=value'],
  ],
);

it('what is wrong with an env entry is told without its value', () => {
  for (const written of [['1KEY=hunter2'], ['KEY=hunter2\nx'], ['K-Y=hunter2']]) {
    expect(JSON.stringify(runSchema(env(), written))).not.toContain('hunter2');
  }
});

field(
  'mount point',
  mountPoint(),
  [
    ['data:/data', { name: 'data', path: '/data' }],
    ['data:/data//x/./', { name: 'data', path: '/data/x' }],
    ['/host:/c', { instance_path: '/host', path: '/c', optional: false }],
    [
      { name: ['a', 'b'], path: '/d' },
      { name: ['a', 'b'], path: '/d' },
    ],
    [
      { instance_path: '/a', path: '/b', optional: true },
      { instance_path: '/a', path: '/b', optional: true },
    ],
  ],
  [
    ['data', 'invalid mount point'],
    ['a:/b:ro', 'invalid mount point'],
    [':/b', 'invalid mount point'],
    ['data:rel', 'must be absolute'],
    ['/a/../b:/c', 'must not contain ".."'],
    ['a/b:/c', 'must be absolute'],
    [{ name: [], path: '/d' }, 'must not be empty'],
    [{ name: 'a' }, 'is required'],
  ],
);

const repo = (parts: object) => ({
  local_path: null,
  url: null,
  branch: null,
  hash: null,
  path: '.',
  if_exists: 'error',
  ...parts,
});
field(
  'repo',
  repoSpec(),
  [
    ['.', repo({ local_path: '.' })],
    ['..:/code', repo({ local_path: '..', path: '/code' })],
    ['C:\\src:/code', repo({ local_path: 'C:\\src', path: '/code' })],
    ['https://github.com/org/x.git', repo({ url: 'https://github.com/org/x.git' })],
    ['https://github.com/org/x:~/x', repo({ url: 'https://github.com/org/x', path: '~/x' })],
    ['https://me:token@github.com/org/x:/x', repo({ url: 'https://me:token@github.com/org/x', path: '/x' })],
    ['ssh://git@host:2222/x.git:/code', repo({ url: 'ssh://git@host:2222/x.git', path: '/code' })],
    ['http://host:8080:/code', repo({ url: 'http://host:8080', path: '/code' })],
    ['git@github.com:org/x.git', repo({ url: 'git@github.com:org/x.git' })],
    ['git@github.com:org/x.git:/code', repo({ url: 'git@github.com:org/x.git', path: '/code' })],
    [
      { url: 'https://a/b', branch: 'main', if_exists: 'skip' },
      repo({ url: 'https://a/b', branch: 'main', if_exists: 'skip' }),
    ],
  ],
  [
    ['a:b:c', 'Invalid repo'],
    ['a:', 'Invalid repo'],
    ['.:~bob/x', "another user's home"],
    [{}, 'exactly one of local_path and url'],
    [{ local_path: '.', url: 'https://a/b' }, 'exactly one of local_path and url'],
    [{ local_path: '.', if_exists: 'Skip' }, 'expected one of error, skip'],
  ],
);

field(
  'file',
  fileMapping(),
  [
    ['a.txt', { local_path: 'a.txt', path: 'a.txt' }],
    ['ab:/b', { local_path: 'ab', path: '/b' }],
    ['C:\\a:/b', { local_path: 'C:\\a', path: '/b' }],
  ],
  [
    ['C:\\a', 'is a Windows path'],
    ['a:b:c', 'invalid file mapping'],
    ['', 'invalid file mapping'],
    [{ local_path: 'a' }, 'is required'],
  ],
);

field(
  'entity reference',
  entityReference(),
  [
    ['f', { project: null, name: 'f' }],
    ['p/f', { project: 'p', name: 'f' }],
    [{ name: 'f' }, { project: null, name: 'f' }],
  ],
  [
    ['p/', 'invalid reference'],
    ['a/b/c', 'invalid reference'],
    ['', 'invalid reference'],
  ],
);
field(
  'instance',
  instanceSelector(),
  [
    ['f-0', { name: 'f-0' }],
    [{ name: 'f-0' }, { name: 'f-0' }],
    [{ hostname: 'h' }, { hostname: 'h' }],
    [
      { fleet: 'p/f', instance: 0 },
      { fleet: { project: 'p', name: 'f' }, instance: 0 },
    ],
  ],
  [
    ['', 'must not be empty'],
    [{ fleet: 'f' }, 'is required'],
    [{ fleet: 'f', instance: -1 }, 'at least 0'],
    [{ name: 'a', hostname: 'b' }, 'not a known property'],
  ],
);
field(
  'python',
  pythonVersion(),
  [
    ['3.12', '3.12'],
    [3.12, '3.12'],
    [3.1, '3.10'],
    [new SourcedNumber(3.1, '3.10'), '3.10'],
  ],
  [
    ['3.1', 'unsupported Python version'],
    [2.7, 'unsupported Python version'],
  ],
);
field(
  'user',
  containerUser(),
  [
    ['root', 'root'],
    [1000, '1000'],
    ['ubuntu:1000', 'ubuntu:1000'],
  ],
  [
    ['a:b:c', 'invalid user'],
    [':a', 'invalid user'],
    ['a:', 'invalid user'],
    [-1, 'must not be negative'],
    ['', 'invalid user'],
  ],
);
field(
  'shell',
  shell(),
  [
    ['sh', 'sh'],
    ['bash', 'bash'],
    ['/bin/zsh', '/bin/zsh'],
  ],
  [['zsh', 'expected sh, bash or an absolute path']],
);
field(
  'schedule',
  schedule(),
  [
    [{ cron: '0 8 * * mon-fri' }, { cron: ['0 8 * * mon-fri'] }],
    [{ cron: ['*/5 * * * *', '0 0 last 1,JUN 0-6/2'] }, { cron: ['*/5 * * * *', '0 0 last 1,JUN 0-6/2'] }],
  ],
  [
    [{ cron: [] }, 'must not be empty'],
    [{ cron: '* * * *' }, 'not 5'],
    [{ cron: '@daily' }, 'not 5'],
    [{ cron: '60 * * * *' }, 'minute'],
    [{ cron: '* * * * 7' }, 'weekday'],
    [{ cron: '* * 0 * *' }, 'day'],
    [{ cron: '*/0 * * * *' }, 'minute'],
    [{ cron: '5-1 * * * *' }, 'minute'],
  ],
);
field(
  'tags',
  tags(),
  [
    [
      { team: 'a b', n: 1 },
      { team: 'a b', n: '1' },
    ],
  ],
  [
    [{ 'a b': 'x' }, 'invalid tag key'],
    [{ a: 'x?' }, 'is not valid'],
    [{ a: 'x'.repeat(257) }, 'is not valid'],
    [['a'], 'expected a mapping'],
  ],
);
field(
  'scaling',
  scaling(),
  [
    [
      { metric: 'rps', target: 3 },
      { metric: 'rps', target: 3, window: null, scale_up_delay: 300, scale_down_delay: 600 },
    ],
    [
      { metric: 'rps', target: 0.5, window: '5m', scale_up_delay: '10s' },
      { metric: 'rps', target: 0.5, window: 300, scale_up_delay: 10, scale_down_delay: 600 },
    ],
  ],
  [
    [{ metric: 'rps', target: 0 }, 'greater than 0'],
    [{ metric: 'cpu', target: 1 }, 'expected "rps"'],
    [{ metric: 'rps', target: 1, window: 61 }, 'one of 30s, 1m, 5m'],
  ],
);
field(
  'model',
  serviceModel(),
  [
    ['m', { type: 'chat', name: 'm', format: 'openai', prefix: '/v1' }],
    [
      { name: 'm', format: 'tgi' },
      { type: 'chat', name: 'm', format: 'tgi', chat_template: null, eos_token: null },
    ],
  ],
  [
    [{ name: 'm', format: 'x' }, 'expected one of openai, tgi'],
    [{ format: 'openai' }, 'is required'],
  ],
);
field(
  'rate limit',
  rateLimit(),
  [
    [{ rps: 1 }, { prefix: '/', key: { type: 'ip_address' }, rps: 1, burst: 0 }],
    [
      { rps: '0.5', prefix: '/a', key: { type: 'header', header: 'X-Key' } },
      { prefix: '/a', key: { type: 'header', header: 'X-Key' }, rps: 0.5, burst: 0 },
    ],
  ],
  [
    [{ rps: 0.01 }, 'at least'],
    [{ rps: 1, prefix: 'a' }, 'is not valid'],
    [{ rps: 1, prefix: '/{a}' }, 'is not valid'],
    [{ rps: 1, key: { type: 'header', header: 'a b' } }, 'is not valid'],
    [{ rps: 1, burst: -1 }, 'at least 0'],
  ],
);
field(
  'probe',
  probe(),
  [
    [
      { type: 'http' },
      {
        type: 'http',
        url: null,
        method: null,
        headers: [],
        body: null,
        timeout: null,
        interval: null,
        ready_after: null,
        until_ready: null,
      },
    ],
  ],
  [
    [{}, 'is required'],
    [{ type: 'http', url: 'x' }, 'must start with /'],
    [{ type: 'http', url: '/\u0007' }, 'printable'],
    [{ type: 'http', method: 'GET' }, 'expected one of get'],
    [{ type: 'http', timeout: 0 }, 'at least 1 s'],
    [{ type: 'http', ready_after: 0 }, 'at least 1'],
    [{ type: 'http', headers: [{ name: '', value: 'x' }] }, 'must not be empty'],
    [{ type: 'http', headers: Array.from({ length: 17 }, () => ({ name: 'a', value: 'b' })) }, 'at most 16'],
  ],
);
field(
  'replicas',
  replicaCount(),
  [
    [2, { min: 2, max: 2 }],
    ['0..4', { min: 0, max: 4 }],
    ['..4', { min: 0, max: 4 }],
    [
      { min: 1, max: 2 },
      { min: 1, max: 2 },
    ],
  ],
  [
    ['1..', 'maximum number of replicas is required'],
    [-1, 'not a whole number'],
  ],
);
field(
  'fleet nodes',
  fleetNodes(),
  [
    [2, { min: 2, max: 2 }],
    ['0..', { min: 0, max: null }],
    ['..3', { min: 0, max: 3 }],
    [
      { min: 1, target: 2, max: 3 },
      { min: 1, target: 2, max: 3 },
    ],
    [
      { min: 1, target: 1 },
      { min: 1, max: null },
    ],
  ],
  [
    [{ min: 2, target: 1 }, 'must not be less than min'],
    [{ target: 4, max: 3 }, 'must not be greater than max'],
    [{ min: 2, max: 1 }, 'must not be less than min'],
    [{ min: -1 }, 'at least 0'],
    ['x', 'not a whole number'],
  ],
);
field(
  'blocks',
  blocks(),
  [
    ['auto', 'auto'],
    [4, 4],
    ['4', 4],
  ],
  [
    [0, 'at least 1'],
    ['many', 'whole number or "auto"'],
    [1.5, 'whole number'],
  ],
);

const parameters = profileParameters();
field(
  'retry',
  parameters.retry,
  [
    [true, true],
    ['yes', true],
    [false, false],
    [null, null],
    [{}, { on_events: null, duration: null }],
    [
      { on_events: ['error'], duration: '1h' },
      { on_events: ['error'], duration: 3600 },
    ],
  ],
  [
    [{ on_events: [] }, 'must not be empty'],
    [{ on_events: ['crash'] }, 'expected one of no-capacity'],
  ],
);
field(
  'backends',
  parameters.backends,
  [
    [
      ['aws', 'gcp'],
      ['aws', 'gcp'],
    ],
  ],
  [
    [['asw'], 'expected one of'],
    ['aws', 'expected a list'],
  ],
);
field(
  'max price',
  parameters.max_price,
  [
    [1.5, 1.5],
    ['2', 2],
  ],
  [[0, 'greater than 0']],
);
field(
  'utilization policy',
  parameters.utilization_policy,
  [
    [
      { min_gpu_utilization: 10, time_window: '5m' },
      { min_gpu_utilization: 10, time_window: 300 },
    ],
  ],
  [
    [{ min_gpu_utilization: 101, time_window: '5m' }, 'at most 100'],
    [{ min_gpu_utilization: 1, time_window: '4m' }, 'at least 300 s'],
  ],
);
field(
  'backend options',
  parameters.backend_options,
  [[[{ type: 'vastai' }], [{ type: 'vastai', offer_order: null, min_reliability: null, min_score: null }]]],
  [
    [[{ type: 'vastai' }, { type: 'vastai' }], 'duplicate options'],
    [[{ type: 'vastai', min_reliability: 2 }], 'at most 1'],
    [[{ type: 'aws' }], 'expected one of vastai'],
  ],
);
field('instances', parameters.instances, [[['a'], [{ name: 'a' }]]], [[[], 'must not be empty']]);

it.each([
  ['10.1.2.3', true],
  ['172.31.0.1', true],
  ['172.32.0.1', false],
  ['192.168.1.1', true],
  ['8.8.8.8', false],
  ['10.0.0', false],
  ['010.0.0.1', false],
  ['fd00::1', true],
  ['2001:4860::1', false],
])('%s private: %s', (address, isPrivate) => {
  expect(isPrivateAddress(address)).toBe(isPrivate);
});

it.each([
  ['10.0.0.0/24', true],
  ['10.0.0.5/24', true],
  ['10.0.0.0/7', false],
  ['8.8.8.0/24', false],
  ['10.0.0.0', false],
  ['10.0.0.0/33', false],
])('%s is a private network: %s', (network, isPrivate) => {
  expect(isPrivateNetwork(network)).toBe(isPrivate);
});
