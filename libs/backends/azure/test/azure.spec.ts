import { isBackendError, type MachineRef, type MachineState } from '@dstack/backend-base';
import { ArmRefusal } from '@dstack/cloud-fakes/azure';
import { azureModule } from '../src/compute.js';
import {
  ACCOUNT,
  attempt,
  type AzureWorld,
  call,
  config,
  CREDS,
  environment,
  isSmall,
  OWNER,
  PUBLIC_KEY,
  QUERY,
  startAzureWorld,
} from './support/azure-world.js';

let world: AzureWorld;
beforeEach(async () => {
  world = await startAzureWorld();
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const open = (extra: object = {}, now?: () => number) =>
  azureModule.open(config(extra), environment(world.fake.url, now));
const gpus = (gpu: object, more: object = {}) => ({ ...QUERY, requirements: { resources: { gpu }, ...more } });
const small = async () => (await world.compute.offers(QUERY, call())).find(isSmall);
const failureOf = async (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
  );
const until = async (is: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while (!(await is())) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setImmediate(resolve));
  }
};
const refOf = (state: MachineState): MachineRef => {
  if (state.state === 'gone') throw new Error('gone');
  return state.ref;
};
const networkId = (group: string, name: string) =>
  `/subscriptions/${ACCOUNT.subscriptionId}/resourceGroups/${group}/providers/Microsoft.Network/virtualNetworks/${name}`;

describe('offers of Azure', () => {
  it('are of the catalog, within the regions', async () => {
    const offers = await world.compute.offers(gpus({ name: ['A100'], count: { min: 1 } }), call());
    expect(new Set(offers.map(({ region }) => region))).toEqual(new Set(['eastus', 'westus2']));
    const one = offers.find(({ instance }) => instance.name === 'Standard_NC24ads_A100_v4');
    expect(one).toMatchObject({
      backend: 'azure',
      availability: 'unknown',
      availability_zones: null,
      disk_range_gb: { min: 30, max: 4_095 },
    });
    expect(offers.map(({ price }) => price)).toEqual(offers.map(({ price }) => price).sort((a, b) => a - b));
  });

  it('say what the subscription may not have, and which quota is in the way', async () => {
    world.fake.restrictions.set('Standard_NC6s_v3', 'Location').set('Standard_NC4as_T4_v3', 'Zone');
    world.fake.compute.quotas.set('standardNDSH200v5Family', 0).set('lowPriorityCores', 24);
    const states = new Map(
      (await world.compute.offers({ ...QUERY, requirements: { resources: { gpu: { count: { min: 1 } } } } }, call()))
        .filter(({ region }) => region === 'westus2')
        .map(({ instance, availability, availability_reason: why }) => [
          `${instance.name} ${instance.resources.spot}`,
          [availability, why],
        ]),
    );
    expect(states.get('Standard_NC6s_v3 false')).toEqual([
      'no_quota',
      'the subscription may not use Standard_NC6s_v3 in this region',
    ]);
    expect(states.get('Standard_NC4as_T4_v3 false')?.[0]).toBe('unknown');
    expect(states.get('Standard_ND96isr_H200_v5 false')).toEqual([
      'no_quota',
      'the quota standardNDSH200v5Family is 0 vCPUs, Standard_ND96isr_H200_v5 has 96',
    ]);
    expect(states.get('Standard_ND96isr_H200_v5 true')).toEqual([
      'no_quota',
      'the quota lowPriorityCores is 24 vCPUs, Standard_ND96isr_H200_v5 has 96',
    ]);
    expect(states.get('Standard_NC24ads_A100_v4 true')?.[0]).toBe('unknown');
    // Of a size that Azure does not list in the region.
    expect(states.get('Standard_NC40ads_H100_v5 false')?.[0]).toBe('no_quota');
  });

  it('are still told when Azure does not answer, or may not be asked', async () => {
    const nowhere = environment('http://127.0.0.1:1');
    const compute = await azureModule.open(config(), nowhere);
    expect((await compute.offers(QUERY, call())).find(isSmall)?.availability).toBe('unknown');
    expect(nowhere.said.join()).toContain('does not tell what the account may have in eastus');
    world.fake.refuseNext('GET', '/skus', new ArmRefusal(403, 'AuthorizationFailed', 'no authorization'));
    expect((await small())?.availability).toBe('unknown');
  });

  it('are refused with a secret that Azure rejects', async () => {
    const compute = await open({ creds: { ...CREDS, client_secret: 'wrong-secret' } });
    const failure = await failureOf(compute.offers(QUERY, call()));
    expect(failure).toMatchObject({ kind: 'credentials', blocks: 'account' });
    expect(JSON.stringify(failure)).not.toContain('wrong-secret');
  });

  it.each(['cr-0123456789', 'projects/p/reservations/r', 'mine/none', 'a/b/c', `/subscriptions/${'0'.repeat(8)}/resourceGroups/g/providers/Microsoft.Compute/capacityReservationGroups/r`])(
    'of a reservation that is none of ours are none: %s',
    async (reservation) => {
      world.fake.groups.set('mine', 'eastus');
      expect(await world.compute.offers(gpus({}, { reservation }), call())).toEqual([]);
    },
  ); // prettier-ignore

  it('of a capacity reservation group are what it holds, where it has room, and machines count against it', async () => {
    const offer = await small();
    if (offer === undefined) throw new Error('no offer');
    const { name: size } = offer.instance;
    world.fake.groups.set('mine', 'eastus');
    const [one, two] = ['1', '2'].map((zone) => ({
      name: `r${zone}`,
      size,
      location: offer.region,
      zone,
      capacity: 1,
    }));
    if (one === undefined || two === undefined) throw new Error('no reservations');
    world.fake.compute.reservations.set('mine/held', [one]);
    const query = { ...QUERY, requirements: { ...QUERY.requirements, reservation: 'mine/held' } };
    const [reserved, ...more] = await world.compute.offers(query, call());
    expect(more).toEqual([]);
    expect(reserved).toMatchObject({
      instance: { name: size },
      region: offer.region,
      availability: 'available',
      availability_zones: ['1'],
    });
    await world.compute.create({ ...attempt(reserved), zone: '1', reservation: 'mine/held' }, call());
    const id = `/subscriptions/${ACCOUNT.subscriptionId}/resourceGroups/mine/providers/Microsoft.Compute/capacityReservationGroups/held`;
    expect(world.fake.machines[0]?.request).toMatchObject({
      zones: ['1'],
      properties: { capacityReservation: { capacityReservationGroup: { id } } },
    });
    const again = { ...QUERY, requirements: { ...QUERY.requirements, reservation: id } };
    expect(await world.compute.offers(again, call())).toMatchObject([
      { availability: 'not_available', availability_reason: 'the reservation is full' },
    ]);
    world.fake.compute.reservations.set('mine/held', [{ ...one, zone: null, capacity: 2 }]);
    expect((await world.compute.offers(query, call()))[0]).toMatchObject({
      availability: 'available',
      availability_zones: null,
    });
  });
});

describe('a machine', () => {
  it('is what Azure needs, and goes with all that was made for it', async () => {
    const compute = await open({
      tags: { team: 'ml', Owner: 'no' },
      vm_managed_identity: 'ids/reader',
      resource_group: 'mine',
    });
    world.fake.groups.set('mine', 'westus2');
    const wanted = attempt(await small(), { tags: { cost: 'low', 'microsoft-x': 'no' } });
    const ref = refOf(await compute.create(wanted, call()));
    const [machine] = world.fake.machines;
    expect(machine?.id).toMatch(/\/resourceGroups\/mine\/providers\/Microsoft\.Compute\/virtualMachines\/dstack-main-/);
    expect(machine?.tags).toEqual({
      team: 'ml',
      cost: 'low',
      owner: 'dstack',
      dstack_project: 'main-project',
      dstack_name: 'one',
      dstack_user: 'admin',
      dstack_server: OWNER,
      dstack_attempt: wanted.token,
    });
    expect(machine?.request).toMatchObject({
      identity: { type: 'UserAssigned' },
      properties: {
        storageProfile: {
          imageReference: { publisher: 'Canonical', sku: '22_04-lts-gen2' },
          osDisk: { diskSizeGB: 100, deleteOption: 'Delete', managedDisk: { storageAccountType: 'StandardSSD_LRS' } },
          diskControllerType: 'NVMe',
        },
        osProfile: { linuxConfiguration: { disablePasswordAuthentication: true } },
        priority: 'Regular',
      },
    });
    expect(machine?.userData).toContain(PUBLIC_KEY);
    expect(machine?.userData).toContain('docker.io');
    expect(JSON.stringify(machine?.request)).not.toContain(ACCOUNT.clientSecret);
    expect(world.fake.belongings).toHaveLength(3);
    await until(async () => (await compute.terminate(ref, call())) === 'done');
    expect(world.fake.belongings).toEqual([]);
  });

  it.each([
    ['NC24ads_A100_v4', 'A100', 'dstack-cuda-0.14'],
    ['NC6s_v3', 'V100', 'dstack-cuda-0.10'],
    ['NV36ads_A10_v5', 'A10', 'dstack-grid-0.14'],
  ])('of the size %s has the image for its %s', async (size, name, image) => {
    const offers = await world.compute.offers(gpus({ name: [name] }), call());
    await world.compute.create(attempt(offers.find(({ instance }) => instance.name === `Standard_${size}`)), call());
    expect(JSON.stringify(world.fake.machines[0]?.request)).toContain(`/Images/${image}"`);
    expect(world.fake.machines[0]?.userData).not.toContain('docker.io');
  });

  it('of spot capacity ends with it', async () => {
    const offers = await world.compute.offers(gpus({ name: ['A100'], count: { max: 1 } }, { spot: true }), call());
    const spot = offers.find(({ instance }) => instance.resources.spot);
    const ref = refOf(await world.compute.create(attempt(spot), call()));
    const [machine] = world.fake.machines;
    expect(machine?.request).toMatchObject({
      properties: { priority: 'Spot', evictionPolicy: 'Delete', billingProfile: { maxPrice: -1 } },
    });
    await until(() => machine?.state === 'Succeeded');
    if (machine !== undefined) world.fake.compute.end(machine);
    await until(async () => (await world.compute.get(ref, call())).state === 'gone');
  });

  it('without a public address is reached at its private one', async () => {
    const subnets = [
      { name: 'web', addressPrefix: '10.1.0.0/24', delegations: ['Microsoft.Web/serverFarms'] },
      { name: 'full', addressPrefix: '10.1.1.0/29' },
      { name: 'out', addressPrefix: '10.1.2.0/24', hasNat: true },
    ];
    world.fake.groups.set('net', 'eastus');
    world.fake.network.addNetwork(networkId('net', 'inner'), 'eastus', subnets);
    const compute = await open({ public_ips: false, vpc_ids: { eastus: 'net/inner' }, regions: ['eastus'] });
    const ref = refOf(await compute.create(attempt(await small()), call()));
    expect(JSON.stringify(world.fake.machines[0]?.request)).toContain(`${networkId('net', 'inner')}/subnets/out`);
    await until(() => world.fake.machines[0]?.state === 'Succeeded');
    expect(await compute.get(ref, call())).toMatchObject({ state: 'ready', internalIp: '198.51.100.7' });
    expect(world.fake.network.addresses.size).toBe(0);
  });

  it('that finds no room after all says so, and leaves nothing once it is terminated', async () => {
    world.fake.compute.drySoon.add('Standard_D2s_v6');
    const ref = refOf(await world.compute.create(attempt(await small()), call()));
    await until(() => world.fake.machines[0]?.state === 'Failed');
    expect(await world.compute.get(ref, call())).toMatchObject({
      state: 'failed',
      message: expect.stringMatching(/^AllocationFailed: /) as string,
    });
    expect(await world.compute.list(OWNER, call())).toHaveLength(1);
    await until(async () => (await world.compute.terminate(ref, call())) === 'done');
    expect(world.fake.belongings).toEqual([]);
  });

  it('that was stopped is no use, and still costs', async () => {
    const ref = refOf(await world.compute.create(attempt(await small()), call()));
    await until(() => world.fake.machines[0]?.state === 'Succeeded');
    if (world.fake.machines[0] !== undefined) world.fake.machines[0].power = 'stopped';
    expect(await world.compute.get(ref, call())).toMatchObject({ state: 'failed', message: 'VM stopped' });
  });

  it('that is being worked on is terminated later', async () => {
    const ref = refOf(await world.compute.create(attempt(await small()), call()));
    world.fake.refuseNext('DELETE', 'virtualMachines', new ArmRefusal(409, 'AnotherOperationInProgress', 'busy'));
    expect(await world.compute.terminate(ref, call())).toBe('pending');
    expect(world.fake.machines[0]?.state).not.toBe('Deleting');
    await until(async () => (await world.compute.terminate(ref, call())) === 'done');
  });

  it('repeated with another plan is the one that was made', async () => {
    const wanted = attempt(await small());
    const first = refOf(await world.compute.create(wanted, call()));
    const other = await open({ tags: { team: 'ml' } });
    expect(refOf(await other.create(wanted, call())).machineId).toBe(first.machineId);
    expect(world.fake.machines).toHaveLength(1);
  });
});

describe('what a region needs', () => {
  it('is made once, and taken as it is later', async () => {
    await Promise.all([
      world.compute.create(attempt(await small()), call()),
      world.compute.create(attempt(await small()), call()),
    ]);
    expect([...world.fake.groups]).toEqual([['dstack-main-project', 'eastus']]);
    expect([...world.fake.network.networks.values()].map(({ name }) => name)).toEqual([
      'dstack-main-project-eastus-default-network',
    ]);
    const puts = () =>
      world.fake.requests.filter((each) => /^PUT .*(virtualNetworks|networkSecurityGroups)/.test(each));
    expect(puts()).toHaveLength(2);
    const later = await open();
    await later.create(attempt(await small()), call());
    expect(puts()).toHaveLength(2);
  });

  it('is asked for again once it is gone', async () => {
    await world.compute.create(attempt(await small()), call());
    world.fake.network.securityGroups.clear();
    const wanted = attempt(await small());
    expect(await failureOf(world.compute.create(wanted, call()))).toMatchObject({ kind: 'rejected', blocks: 'region' });
    expect((await world.compute.create(wanted, call())).state).toBe('pending');
  });

  it.each<[string, object, string]>([
    ['is missing', { vpc_ids: { eastus: 'net/none' } }, 'there is no network net/none'],
    ['is elsewhere', { vpc_ids: { eastus: 'net/west' } }, 'network net/west is in westus2, not in eastus'],
    ['is delegated', { subnet_ids: { eastus: 'net/inner/web' } }, 'subnet web is delegated to a service'],
    ['is not there', { subnet_ids: { eastus: 'net/inner/x' } }, 'network net/inner has no subnet x'],
    ['has no way out', { subnet_ids: { eastus: 'net/inner/own' }, public_ips: false }, 'neither a NAT gateway'],
  ])('that %s blocks the region', async (_what, extra, text) => {
    const subnets = [
      { name: 'web', addressPrefix: '10.1.0.0/24', delegations: ['Microsoft.Web/serverFarms'] },
      { name: 'own', addressPrefix: '10.1.1.0/24' },
    ];
    world.fake.groups.set('net', 'eastus');
    world.fake.network.addNetwork(networkId('net', 'inner'), 'eastus', subnets);
    world.fake.network.addNetwork(networkId('net', 'west'), 'westus2', subnets);
    const compute = await open({ ...extra, regions: ['eastus'] });
    expect(await failureOf(compute.create(attempt(await small()), call()))).toMatchObject({
      kind: 'not-found',
      blocks: 'region',
      message: expect.stringContaining(text) as string,
    });
    expect(world.fake.belongings).toEqual([]);
  });
});

describe('a refusal', () => {
  it.each([
    [409, 'SkuNotAvailable', 'not available', 'no-capacity', 'offer'],
    [409, 'ZonalAllocationFailed', 'no room', 'no-capacity', 'zone'],
    [409, 'OverconstrainedAllocationRequest', 'no room', 'no-capacity', 'offer'],
    [409, 'OperationNotAllowed', 'results in exceeding approved standardDSv6Family Cores quota', 'quota', 'offer'],
    [409, 'QuotaExceeded', 'quota', 'quota', 'offer'],
    [403, 'AuthorizationFailed', 'no authorization', 'credentials', 'account'],
    [404, 'SubscriptionNotFound', 'none', 'credentials', 'account'],
    [409, 'MissingSubscriptionRegistration', 'not registered', 'credentials', 'account'],
    [403, 'RequestDisallowedByPolicy', 'policy', 'rejected', 'region'],
    [404, 'PlatformImageNotFound', 'no image', 'not-found', 'offer'],
    [400, 'InvalidParameter', 'wrong', 'rejected', 'offer'],
    [409, 'OperationNotAllowed', 'being deleted', 'rejected', 'offer'],
    [500, 'InternalExecutionError', 'oops', 'outage', 'account'],
  ])('%d %s (%s) is %s', async (status, code, text, kind, blocks) => {
    const wanted = attempt(await small());
    for (let tries = 0; tries < 6; tries += 1)
      world.fake.refuseNext('PUT', 'virtualMachines', new ArmRefusal(status, code, text));
    expect(await failureOf(world.compute.create(wanted, call()))).toMatchObject({
      kind,
      blocks,
      message: `${code}: ${text}`,
    });
    expect(world.fake.belongings).toEqual([]);
  });

  it('for a moment is waited for, for long is told', async () => {
    const wanted = attempt(await small());
    const throttled = (seconds: string) => new ArmRefusal(429, 'TooManyRequests', 'slow', { 'retry-after': seconds });
    world.fake.refuseNext('PUT', 'virtualMachines', throttled('60'));
    const before = Date.now();
    const failure = await failureOf(world.compute.create(wanted, call()));
    expect(failure).toMatchObject({ kind: 'throttled', blocks: 'account' });
    expect((failure as { retryAt: number }).retryAt).toBeGreaterThanOrEqual(before + 60_000);
    world.fake.refuseNext('PUT', 'virtualMachines', throttled('2'));
    expect((await world.compute.create(wanted, call())).state).toBe('pending');
  });

  it('of a whole subscription leaves the resource group', async () => {
    world.fake.groups.set('mine', 'eastus');
    const compute = await open({ resource_group: 'mine' });
    const ref = refOf(await compute.create(attempt(await small()), call()));
    world.fake.refuseNext(
      'GET',
      '/Microsoft.Compute/virtualMachines',
      new ArmRefusal(403, 'AuthorizationFailed', 'no'),
    );
    expect((await compute.list(OWNER, call())).map(({ ref: each }) => each.machineId)).toEqual([ref.machineId]);
  });
});
