import { describeField } from '../../../test/describe-field.js';
import { SourcedNumber } from '../schema/sourced-number.js';
import { containerUser } from './container-user.js';
import { pythonVersion } from './python-version.js';
import { shell } from './shell.js';

describeField(
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
describeField(
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
describeField(
  'shell',
  shell(),
  [
    ['sh', 'sh'],
    ['bash', 'bash'],
    ['/bin/zsh', '/bin/zsh'],
  ],
  [['zsh', 'expected sh, bash or an absolute path']],
);
