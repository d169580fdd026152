import { describeField } from '../../../test/describe-field.js';
import { profileParameters } from '../../profiles/profile-parameters.js';

const parameters = profileParameters();
describeField(
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
describeField(
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
describeField(
  'max price',
  parameters.max_price,
  [
    [1.5, 1.5],
    ['2', 2],
  ],
  [[0, 'greater than 0']],
);
describeField(
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
describeField(
  'backend options',
  parameters.backend_options,
  [[[{ type: 'vastai' }], [{ type: 'vastai', offer_order: null, min_reliability: null, min_score: null }]]],
  [
    [[{ type: 'vastai' }, { type: 'vastai' }], 'duplicate options'],
    [[{ type: 'vastai', min_reliability: 2 }], 'at most 1'],
    [[{ type: 'aws' }], 'expected one of vastai'],
  ],
);
describeField('instances', parameters.instances, [[['a'], [{ name: 'a' }]]], [[[], 'must not be empty']]);
