import { describeField } from '../../../test/describe-field.js';
import { probe } from './probe.js';
import { rateLimit } from './rate-limit.js';
import { replicaCount } from './replica-count.js';
import { scaling } from './scaling.js';
import { serviceModel } from './service-model.js';

describeField(
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
describeField(
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
describeField(
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
describeField(
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
describeField(
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
    [-1, 'must not be negative, is -1'],
  ],
);
