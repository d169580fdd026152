import { hostPaths } from './host-paths.js';
import { type InstallationPlan, planInstallation } from './plan-installation.js';
import { parseProbe } from './probed-host.js';
import { environmentFile, supervisorOf } from './supervisor.js';

const paths = hostPaths('5f0c9a1e-2d3b');
const supervisor = supervisorOf({ paths, arch: 'x86', systemd: false, uid: 1000 });
const env = environmentFile(paths, { http_proxy: 'http://proxy' });
const bundle = { digest: 'd'.repeat(64), sizeBytes: 40 * 1024 * 1024 };
const READY = {
  folder: 'dddddddddddddddd',
  current: 'dddddddddddddddd',
  loop_mark: supervisor.file.mark,
  env_mark: env.mark,
  instance: 'i-1',
  listening: 'yes',
  agent_free_kib: '1000000',
};
const NOTHING: InstallationPlan = { upload: false, apply: false, lacksKib: null };

const plan = (changes: Partial<typeof READY>, wantedEnv: typeof env | null = env) => {
  const lines = Object.entries({ ...READY, ...changes }).map(([key, value]) => `${key}=${value}`);
  return planInstallation(parseProbe(lines.join('\n')), { bundle, supervisor, env: wantedEnv, instance: 'i-1' });
};

it.each<[string, Partial<typeof READY>, InstallationPlan]>([
  ['nothing on a host that is ready', {}, NOTHING],
  ['nothing for want of space when nothing is sent', { agent_free_kib: '1' }, NOTHING],
  ['a start when nothing listens', { listening: '' }, { ...NOTHING, apply: true }],
  ['a change of the environment', { env_mark: 'other' }, { ...NOTHING, apply: true }],
  ['what another instance had, for this one', { instance: 'i-0' }, { ...NOTHING, apply: true }],
  ['a change of the supervisor', { loop_mark: 'other' }, { ...NOTHING, apply: true }],
  ['a switch to a folder that is there', { current: 'eeeeeeeeeeeeeeee' }, { ...NOTHING, apply: true }],
  ['an upload of a folder that is not', { folder: 'eeeeeeeeeeeeeeee' }, { upload: true, apply: true, lacksKib: null }],
  [
    'an upload where df tells nothing',
    { folder: '', agent_free_kib: '' },
    { upload: true, apply: true, lacksKib: null },
  ],
  [
    'no upload where it does not fit',
    { folder: '', agent_free_kib: '100000' },
    { upload: true, apply: true, lacksKib: { free: 100_000, needed: 188_416 } },
  ],
])('%s', (_what, changes, expected) => {
  expect(plan(changes)).toEqual(expected);
});

it('leaves the environment as it is where none is given', () => {
  expect(plan({ env_mark: 'other' }, null)).toEqual(NOTHING);
});
