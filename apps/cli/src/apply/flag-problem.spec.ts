import { withFlags } from './load-configuration.js';
import type { RunFlagValues } from './run-flags.js';

const NONE: RunFlagValues = { reuse: false, 'dont-destroy': false, spot: false, 'on-demand': false, 'spot-auto': false, retry: false, 'no-retry': false }; // prettier-ignore

it.each<[Partial<RunFlagValues>, RegExp]>([
  [{ 'max-price': 'abc' }, /^--max-price: expected a number, got "abc"/],
  [{ backend: ['nowhere'] }, /^--backend: expected one of /],
  [{ gpu: 'x:y:z' }, /^--gpu: GPU spec "x:y:z"/],
  [{ 'max-duration': 'soon' }, /^--max-duration: cannot parse duration "soon"/],
])('%j is told as the option that it is', (flags, message) => {
  expect(() => withFlags({ type: 'task', commands: [':'] }, { ...NONE, ...flags })).toThrow(message);
});
