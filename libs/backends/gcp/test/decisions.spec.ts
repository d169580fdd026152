import { PUBLISHED_MACHINE_IMAGES } from '@dstack/backend-base';
import { quotaMetric } from '../src/accelerators.js';
import { deviceName, isIn, isSameDisk, toVolume, wantedDisk } from '../src/disk.js';
import { firstSteps } from '../src/first-start.js';
import { imageOf } from '../src/images.js';
import { machineLabels } from '../src/labels.js';
import { readData, writeData } from '../src/machine-data.js';
import { stateOf } from '../src/machine-state.js';
import { firewallRule, hasNat, MACHINE_TAG, GATEWAY_TAG, networkPath, subnetsOf } from '../src/network.js';
import { networkCards } from '../src/network-cards.js';
import { regionOf } from '../src/region-of.js';
import { parseReservation, reservationFilter } from '../src/reservation.js';
import { bootDiskType, isOffered, staysOnItsHost, takesVolumes } from '../src/sold-types.js';
import { isSingleHostTpu, isTpu, runtimeVersion } from '../src/tpu-types.js';

const HOST = 'https://www.googleapis.com/compute/v1';
const GIB = 1024;

const type = (name: string, gpu: string | null = null, flags: string[] = []) => ({
  name,
  cpus: 4,
  memoryMib: 16 * GIB,
  gpu: gpu === null ? null : { vendor: 'nvidia' as const, name: gpu, count: 1, memoryMib: 16 * GIB },
  cpuArch: 'x86' as const,
  diskGb: null,
  flags,
});

describe('what is offered', () => {
  it.each([
    ['a current family', type('e2-standard-4'), false, true],
    ['a small one', type('e2-medium'), false, true],
    ['an old family', type('n1-standard-4'), false, false],
    ['another of a current one', type('n2d-standard-4'), false, false],
    ['an old family with a GPU', type('n1-standard-4', 'T4'), false, true],
    ['a GPU that no image drives', type('n1-standard-4', 'P100'), false, false],
    ['a family that is known by a mark', type('g4-standard-48', 'RTXPRO6000', ['gcp-g4']), false, true],
    ['a mark that nobody knows', type('a9-highgpu-8g', 'X1', ['gcp-a9']), false, false],
    ['what is sold by the calendar', type('a3-highgpu-8g', 'H100', ['gcp-dws-calendar-mode']), false, false],
    ['the same, reserved', type('a3-highgpu-8g', 'H100', ['gcp-dws-calendar-mode']), true, true],
    ['a TPU of one host', type('v5litepod-8', 'v5litepod-8'), false, true],
    ['the same, reserved', type('v5litepod-8', 'v5litepod-8'), true, false],
    ['a TPU of several hosts', type('v5litepod-16', 'v5litepod-16'), false, false],
  ])('%s', (_what, given, isReserved, expected) => {
    expect(isOffered(given, isReserved)).toBe(expected);
  });

  it.each([
    ['v2-8', true],
    ['v2-32', false],
    ['v3-8', true],
    ['v4-8', false],
    ['v5p-8', true],
    ['v5p-16', false],
    ['v5litepod-1', true],
    ['v6e-8', true],
    ['v6e-16', false],
    ['v99x-8', false],
  ])('%s is a TPU of one host: %s', (name, expected) => {
    expect(isTpu(name)).toBe(true);
    expect(isSingleHostTpu(name)).toBe(expected);
  });

  it.each([
    ['v6e-1', 'v2-alpha-tpuv6e'],
    ['v5litepod-8', 'v2-alpha-tpuv5-lite'],
    ['v5p-8', 'tpu-ubuntu2204-base'],
    ['v2-8', 'tpu-ubuntu2204-base'],
  ])('%s starts with %s', (name, expected) => {
    expect(runtimeVersion(name)).toBe(expected);
  });
});

describe('a type', () => {
  it.each([
    ['e2-standard-4', 0, 'pd-balanced', true, false],
    ['n1-standard-4', 1, 'pd-balanced', true, true],
    ['a2-highgpu-1g', 1, 'pd-balanced', true, true],
    ['a3-ultragpu-8g', 8, 'hyperdisk-balanced', false, true],
    ['a4-highgpu-8g', 8, 'hyperdisk-balanced', false, true],
    ['g4-standard-48', 1, 'hyperdisk-balanced', false, true],
    ['c4-standard-8', 0, 'hyperdisk-balanced', false, false],
    ['h3-standard-88', 0, 'hyperdisk-balanced', false, true],
    ['v6e-1', 1, 'pd-balanced', false, true],
  ])('%s with %s GPUs starts from %s, takes volumes: %s, cannot move: %s', (name, gpus, disk, volumes, stays) => {
    expect(bootDiskType(name)).toBe(disk);
    expect(takesVolumes(name)).toBe(volumes);
    expect(staysOnItsHost(name, gpus)).toBe(stays);
  });

  it.each([
    ['e2-standard-4', null, 'dstack-0-14'],
    ['g2-standard-4', 'L4', 'dstack-cuda-0-14'],
    ['n1-standard-4', 'V100', 'dstack-cuda-0-10'],
    ['a3-megagpu-8g', 'H100', 'dstack-a3mega-5'],
    ['a3-highgpu-8g', 'H100', 'dstack-cuda-0-14'],
  ])('%s with %s starts with %s', (name, gpu, expected) => {
    expect(imageOf(name, gpu, PUBLISHED_MACHINE_IMAGES)).toBe(`projects/dstack/global/images/${expected}`);
  });

  it.each([
    [{ name: 'A100', memoryMib: 40 * GIB }, false, 'NVIDIA_A100_GPUS'],
    [{ name: 'A100', memoryMib: 80 * GIB }, true, 'PREEMPTIBLE_NVIDIA_A100_80GB_GPUS'],
    [{ name: 'T4', memoryMib: 16 * GIB }, false, 'NVIDIA_T4_GPUS'],
    [{ name: 'H100', memoryMib: 80 * GIB }, false, null],
    [{ name: 'v5litepod-8', memoryMib: 0 }, false, null],
  ])('%j (spot: %s) is counted as %s', (gpu, isSpot, expected) => {
    expect(quotaMetric(gpu, isSpot)).toBe(expected);
  });

  it('with networks for its GPUs starts what moves their data', () => {
    expect(firstSteps('a3-megagpu-8g', true).join('\n')).toContain('tcpgpudmarxd');
    expect(firstSteps('a3-megagpu-8g', false).join('\n')).not.toContain('tcpgpudmarxd');
    expect(firstSteps('e2-standard-4', true).join('\n')).not.toContain('tcpgpudmarxd');
  });
});

it.each([
  ['us-central1-a', 'us-central1'],
  ['europe-west4-b', 'europe-west4'],
  ['us-central1-ai1a', 'us-central1'],
])('%s is in %s', (zone, region) => {
  expect(regionOf(zone)).toBe(region);
});

describe('labels', () => {
  const attempt = { owner: 'o-1', token: 't-1', project: 'Main', user: 'Admin', instanceName: 'One-0' };

  it('are lower case, and those of the configuration do not win', () => {
    const labels = machineLabels({ ...attempt, tags: { team: 'ml' } }, { team: 'ops', cost: '42', owner: 'me' });
    expect(labels).toEqual({
      team: 'ml',
      cost: '42',
      owner: 'dstack',
      dstack_project: 'main',
      dstack_name: 'one-0',
      dstack_user: 'admin',
      dstack_server: 'o-1',
      dstack_attempt: 't-1',
    });
  });

  it('that Google does not take are left out', () => {
    const labels = machineLabels({ ...attempt, user: 'Jo Doe', tags: { Team: 'ml', 'a b': 'c', ok: 'No!' } }, {});
    expect(Object.keys(labels).sort()).toEqual(['dstack_attempt', 'dstack_name', 'dstack_project', 'dstack_server', 'owner']); // prettier-ignore
  });
});

describe('what is kept of a machine', () => {
  it.each([
    [{ zone: 'us-central1-a', isTpu: false, operation: 'operation-1' }],
    [{ zone: 'us-central1-a', isTpu: true, operation: null }],
  ])('%j is read again', (data) => {
    expect(readData({ backendData: writeData(data) })).toEqual(data);
  });

  it.each([
    ["dstack's own", '{"zone": "us-central1-a"}', { zone: 'us-central1-a', isTpu: false, operation: null }],
    ["dstack's own of a TPU", '{"is_tpu": true, "zone": "z"}', { zone: 'z', isTpu: true, operation: null }],
    ['something else', '[1', null],
    ['nothing of ours', '7', null],
    ['nothing', null, null],
  ])('%s', (_what, backendData, expected) => {
    expect(readData({ backendData })).toEqual(expected);
  });
});

it('waits for a machine in a state that nobody knows yet', () => {
  const ref = { cloudName: 'm', machineId: 'm', region: 'r', zone: 'z', backendData: null };
  expect(stateOf({ name: 'm', status: 'SOMETHING_NEW' }, ref, true)).toEqual({
    state: 'pending',
    ref,
    reason: 'SOMETHING_NEW',
  });
});

describe('networks', () => {
  const MINE = networkPath('p', 'mine');
  const subnet = (region: string, name: string, over: object = {}) => ({
    network: `${HOST}/${MINE}`,
    subnetwork: `${HOST}/projects/p/regions/${region}/subnetworks/${name}`,
    ...over,
  });

  it('are known by their whole names, their subnets by region', () => {
    const subnets = subnetsOf(MINE, [
      subnet('us-central1', 'b'),
      subnet('us-central1', 'a', { purpose: 'PRIVATE' }),
      subnet('us-central1', 'proxies', { purpose: 'REGIONAL_MANAGED_PROXY' }),
      subnet('us-east1', 'c', { network: `${HOST}/projects/p/global/networks/not-mine` }),
    ]);
    expect([...subnets]).toEqual([
      ['us-central1', ['projects/p/regions/us-central1/subnetworks/a', 'projects/p/regions/us-central1/subnetworks/b']],
    ]);
  });

  it.each([
    ['a router of the network with a NAT', [{ network: `${HOST}/${MINE}`, nats: [{ name: 'nat' }] }], true],
    ['one without', [{ network: `${HOST}/${MINE}` }], false],
    ['one of a network whose name ends so', [{ network: `${HOST}/${networkPath('p', 'not-mine')}`, nats: [{ name: 'nat' }] }], false], // prettier-ignore
    ['none', [], false],
  ])('lead to the internet: %s', (_what, routers, expected) => {
    expect(hasNat(MINE, routers)).toBe(expected);
  });

  it('have a rule for SSH, and one for gateways', () => {
    expect(firewallRule(MINE, MACHINE_TAG)).toEqual({
      name: 'dstack-ssh-in-projects-p-global-networks-mine',
      network: MINE,
      targetTag: 'dstack-runner-instance',
      ports: ['22'],
    });
    expect(firewallRule(networkPath('a-project-with-quite-a-long-name', 'mine'), GATEWAY_TAG)).toMatchObject({
      name: 'dstack-gateway-in-all-mine',
      ports: ['22', '80', '443'],
    });
  });
});

describe('network cards', () => {
  const main = { network: 'projects/p/global/networks/default', subnetwork: null };
  const extra = Array.from({ length: 9 }, (_, n) => ({ network: `x${n}`, subnetwork: `x${n}-s` }));
  const roce = (count: number) => ({ network: 'roce', subnetworks: Array.from({ length: count }, (_, n) => `r${n}`) });
  const kinds = (name: string, choice: object) =>
    networkCards(name, { main, publicIps: true, extra, roce: roce(8), ...choice }).map(({ nicType }) => nicType);

  it.each([
    ['e2-standard-4', {}, [null]],
    ['a3-megagpu-8g', {}, Array<string>(9).fill('GVNIC')],
    ['a3-megagpu-8g', { extra: [] }, [null]],
    ['a3-highgpu-8g', {}, Array(5).fill('GVNIC')],
    ['a4-highgpu-8g', {}, ['GVNIC', 'GVNIC', ...Array<string>(8).fill('MRDMA')]],
    ['a4-highgpu-8g', { roce: null }, ['GVNIC', 'GVNIC']],
  ])('of %s with %j', (name, choice, expected) => {
    expect(kinds(name, choice)).toEqual(expected);
  });

  it('have a public address on the first only', () => {
    const cards = networkCards('a3-megagpu-8g', { main, publicIps: true, extra, roce: null });
    expect(cards.map(({ isPublic }) => isPublic)).toEqual([true, ...Array<boolean>(8).fill(false)]);
  });

  it('need a subnet each', () => {
    expect(() => kinds('a4-highgpu-8g', { roce: roce(3) })).toThrow(
      'needs 8 subnets of roce in the region, there are 3',
    );
  });
});

describe('a reservation', () => {
  it.each([
    ['mine', { project: null, name: 'mine' }],
    ['projects/other/reservations/theirs', { project: 'other', name: 'theirs' }],
    ['cr-0123456789abcdef0', { project: null, name: 'cr-0123456789abcdef0' }],
    ['Mine', null],
    ['a" OR (name != "b', null],
    ['projects/p/zones/z/reservations/x', null],
  ])('%s', (text, expected) => {
    expect(parseReservation(text)).toEqual(expected);
  });

  it('is asked for as Google filters', () => {
    const filter = reservationFilter({ project: null, name: 'mine' });
    expect(filter).toBe('(name = "mine") AND (status = "READY") AND (specificReservationRequired = true)');
  });
});

describe('a disk', () => {
  const disk = { name: 'data', sizeGb: 100, zone: `${HOST}/projects/p/zones/us-central1-b`, type: 'x/pd-balanced' };

  it('costs what its type costs', () => {
    expect(toVolume(disk)).toMatchObject({ volumeId: 'data', zone: 'us-central1-b', priceUsdPerMonth: 12 });
    expect(toVolume({ ...disk, type: 'x/pd-ssd' }).priceUsdPerMonth).toBeNull();
  });

  it.each([
    [{ region: 'us-central1', zone: null }, true],
    [{ region: 'us-central1', zone: 'us-central1-b' }, true],
    [{ region: 'us-central1', zone: 'us-central1-a' }, false],
    [{ region: 'us-east1', zone: null }, false],
  ])('is in %j: %s', (wanted, expected) => {
    expect(isIn(disk, wanted)).toBe(expected);
  });

  it('is the same by its URL and by its path', () => {
    const path = 'projects/p/zones/z/disks/data';
    expect(isSameDisk(`${HOST}/${path}`, path)).toBe(true);
    expect(isSameDisk(path, path)).toBe(true);
    expect(isSameDisk(`${HOST}/projects/p/zones/z/disks/other-data`, path)).toBe(false);
    expect(isSameDisk(undefined, path)).toBe(false);
  });

  it('has a device name of its own, not too long', () => {
    expect(deviceName('data')).toBe('pd-data');
    expect(deviceName('x'.repeat(63))).toHaveLength(63);
  });

  it('is none of another cloud', () => {
    expect(() => wantedDisk({ type: 'volume', backend: 'aws', region: 'us-east-1' })).toThrow('not of Google Cloud');
  });
});
