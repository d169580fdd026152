import { describeField } from '../../../test/describe-field.js';
import { expect, it } from '@jest/globals';
import { runSchema } from '../schema/run-schema.js';
import { SourcedNumber } from '../schema/sourced-number.js';
import { env } from './env.js';

describeField(
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
