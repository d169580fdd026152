import { describeField } from '../../../test/describe-field.js';
import { flag } from '../schema/scalars.js';
import { duration, idleDuration, inactivityDuration, offableDuration } from './duration.js';
import { schedule } from './schedule.js';

const noDuration = 'cannot parse duration';

describeField(
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

describeField(
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
describeField(
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
describeField(
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
describeField(
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

describeField(
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
