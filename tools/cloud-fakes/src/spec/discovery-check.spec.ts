import { DiscoveryCheck } from './discovery-check.js';

const check = new DiscoveryCheck(new URL('../../specs/gcp-compute-v1.json', import.meta.url));
const PATH = '/compute/v1/projects/p/zones/us-central1-a/instances';

function problems(body: unknown, query = ''): string[] {
  const call = check.find('POST', PATH);
  if (call === null) throw new Error('no such method');
  return check.request(call, new URLSearchParams(query), body);
}

it('finds a method and its parameters', () => {
  expect(check.find('POST', PATH)).toEqual({
    method: 'instances.insert',
    parameters: new Map([
      ['project', 'p'],
      ['zone', 'us-central1-a'],
    ]),
  });
  expect(check.find('PUT', PATH)).toBeNull();
  expect(check.find('GET', '/compute/v1/projects/p/nonsense')).toBeNull();
});

it.each<[string, unknown, string, string[]]>([
  [
    'a request as it should be',
    { name: 'm', labels: { a: 'b' }, disks: [{ boot: true }] },
    'requestId=x&fields=id',
    [],
  ],
  ['a member that there is not', { name: 'm', size: 1 }, '', ['instances.insert has no member size']],
  [
    'one inside a list',
    { name: 'm', disks: [{ booted: true }] },
    '',
    ['instances.insert.disks[0] has no member booted'],
  ],
  ['a missing name', {}, '', ['instances.insert needs name']],
  ['a parameter that there is not', { name: 'm' }, 'dryRun=1', ['instances.insert has no query parameter dryRun']],
  [
    'text for a number',
    { name: 'm', guestAccelerators: [{ acceleratorCount: '2' }] },
    '',
    ['instances.insert.guestAccelerators[0].acceleratorCount: "2" is no integer'],
  ],
  [
    'a number for a big number',
    { name: 'm', disks: [{ diskSizeGb: 100 }] },
    '',
    ['instances.insert.disks[0].diskSizeGb: 100 is no text'],
  ],
  [
    'an unknown value',
    { name: 'm', disks: [{ interface: 'SATA' }] },
    '',
    ['instances.insert.disks[0].interface: SATA is none of NVME, SCSI'],
  ],
])('%s', (_what, body, query, expected) => {
  expect(problems(body, query)).toEqual(expected);
});

it('looks at answers too', () => {
  const call = { method: 'zoneOperations.get', parameters: new Map<string, string>() };
  expect(check.response(call, { name: 'o', status: 'DONE' })).toEqual([]);
  expect(check.response(call, { name: 'o', status: 'OVER' })).toEqual([
    'answer of zoneOperations.get.status: OVER is none of DONE, PENDING, RUNNING',
  ]);
});
