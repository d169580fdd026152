import { judgeHost } from './judge-host.js';
import { parseProbe } from './probed-host.js';

const OWNER = '5f0c9a1e-2d3b-4c5d-8e9f-000000000001';
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const FINE = {
  kernel: 'Linux',
  machine: 'x86_64',
  uid: '1000',
  user: 'ops',
  data_free_kib: String(10 * 1024 * 1024),
  agent_free_kib: String(10 * 1024 * 1024),
  now: String(NOW / 1000),
};

const judge = (changes: Readonly<Record<string, string | string[]>>) => {
  const lines = Object.entries({ ...FINE, ...changes }).flatMap(([key, values]) =>
    [values].flat().map((value) => `${key}=${value}`),
  );
  return judgeHost(parseProbe(lines.join('\n')), { hostname: 'gpu-1', owner: OWNER, now: NOW });
};

it.each<[string, Record<string, string | string[]>]>([
  ['a host without Docker, GPU and systemd', {}],
  ['an arm host', { machine: 'aarch64' }],
  ['a host with our own agent', { installation: `5f0c9a1e ${OWNER}` }],
  ['a GPU whose driver answers', { gpu: 'nvidia' }],
  ['a clock that is off by less than five minutes', { now: String(NOW / 1000 - 299) }],
  ['a host whose df and date tell nothing', { data_free_kib: '', agent_free_kib: '', now: '' }],
  ['a folder in the place of installations that is none', { installation: 'lost+found x' }],
  ['nvidia-smi that fails without a GPU', { nvidia_smi: 'exit code 9: no devices' }],
])('nothing is wrong with %s', (_what, changes) => {
  expect(judge(changes)).toBeNull();
});

it.each<[string, Record<string, string | string[]>, RegExp]>([
  ['not-linux', { kernel: 'Darwin' }, /runs Darwin; only Linux/],
  ['unsupported-architecture', { machine: 'ppc64le' }, /ppc64le; there are agents for x86_64 and aarch64/],
  [
    'no-sudo',
    { no_sudo: 'sudo: a password is required' },
    /ops is not root .* \(sudo: a password is required\).*NOPASSWD/,
  ],
  [
    'owned-by-another-server',
    { installation: [`5f0c9a1e ${OWNER}`, 'aaaaaaaa aaaaaaaa-1111'] },
    /aaaaaaaa-1111\).*sudo sh \/var\/lib\/dstack\/aaaaaaaa\/uninstall/,
  ],
  // The same eight characters, and yet another server.
  ['owned-by-another-server', { installation: '5f0c9a1e 5f0c9a1e-other' }, /another dstack server/],
  ['owned-by-another-server', { shim: 'yes' }, /dstack-shim.*systemctl disable --now dstack-shim/],
  ['mixed-gpus', { gpu: ['nvidia', 'amd'], nvidia_smi: 'exit code 9: x' }, /nvidia, amd.*all but one/],
  [
    'gpu-driver',
    { gpu: 'nvidia', nvidia_smi: 'exit code 9: Driver/library version mismatch' },
    /Driver\/library version mismatch/,
  ],
  ['gpu-driver', { gpu: 'nvidia', nvidia_smi: 'nvidia-smi is not installed' }, /nvidia-smi is not installed/],
  ['clock-off', { now: String(NOW / 1000 + 301) }, /says 2026-01-02T03:09:06Z, the server's says 2026-01-02T03:04:05Z/],
  ['disk-full', { data_free_kib: '1024' }, /1 MiB are free for \/var\/lib\/dstack\/5f0c9a1e, and 256 MiB are needed/],
])('%s is told of %p', (problem, changes, message) => {
  const verdict = judge(changes);
  expect(verdict).toMatchObject({ problem, message: expect.stringMatching(message) as string });
  expect(verdict?.message).toMatch(/^gpu-1: /);
});
