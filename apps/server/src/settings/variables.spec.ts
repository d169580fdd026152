import { VARIABLE_GROUPS } from './variable-groups.js';
import type { Variable } from './variable.js';
import { warningsAbout } from './variables.js';

const all = Object.values(VARIABLE_GROUPS).flatMap((group): [string, Variable][] => Object.entries(group));

it('has each variable once, numbers with a default, and choices with one that can be chosen', () => {
  expect(new Set(all.map(([name]) => name)).size).toBe(all.length);
  for (const [name, variable] of all) {
    if ((variable.type === 'integer' || variable.type === 'number') && variable.state === undefined) expect([name, variable.default]).toEqual([name, expect.any(Number)]); // prettier-ignore
    if (variable.type === 'choice') expect(variable.values).toContain(variable.default);
  }
});

it('tells of names that look like ours and are not, and of nothing else', () => {
  const names = ['DSTACK_SERVER_DIR', 'DSTACK_SERVER_LOGLEVEL', 'DSTACK_DB_MAX_OVERFLOW', 'HOME'];
  expect(warningsAbout(names)).toEqual(['DSTACK_SERVER_LOGLEVEL is not a setting of this server and has no effect.']);
});
