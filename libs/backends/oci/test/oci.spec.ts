import { isBackendError, type MachineRef, type MachineState } from '@dstack/backend-base';
import { OciRefusal } from '@dstack/cloud-fakes/oci';
import { ociModule } from '../src/compute.js';
import {
  attempt,
  call,
  config,
  environment,
  isSmall,
  OWNER,
  type OciWorld,
  PRIVATE_KEY,
  PUBLIC_KEY,
  QUERY,
  startOciWorld,
} from './support/oci-world.js';

let world: OciWorld;
beforeEach(async () => {
  world = await startOciWorld();
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const open = (extra: object = {}, now?: () => number) =>
  ociModule.open(config(extra), environment(world.fake.url, now));
const gpus = (gpu: object, more: object = {}) => ({ ...QUERY, requirements: { resources: { gpu }, ...more } });
const small = async () => (await world.compute.offers(QUERY, call())).find(isSmall);
const frankfurt = () => world.fake.region('eu-frankfurt-1');
const AD = (number: number) => `qIZq:EU-FRANKFURT-1-AD-${number}`;
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

describe('offers of Oracle', () => {
  const offer = async (name: string, more: object = {}) =>
    (await world.compute.offers(gpus({ count: { min: 1 } }, more), call())).find(
      ({ instance, region }) =>
        instance.name === name && region === 'eu-frankfurt-1' && instance.resources.spot === 'spot' in more,
    );

  it('are of the catalog, in the regions that the tenancy has', async () => {
    const all = await open({ regions: null });
    const offers = await all.offers(QUERY, call());
    expect(new Set(offers.map(({ region }) => region))).toEqual(new Set(['eu-frankfurt-1', 'us-ashburn-1']));
    expect(offers.map(({ price }) => price)).toEqual(offers.map(({ price }) => price).sort((a, b) => a - b));
    expect(await offer('VM.GPU.A10.1')).toMatchObject({
      backend: 'oci',
      availability: 'available',
      availability_zones: [AD(1), AD(2), AD(3)],
      disk_range_gb: { min: 50, max: 32_768 },
    });
    expect((await offer('VM.GPU3.1', { spot: true }))?.instance.resources.spot).toBe(true);
  });

  it('are in the domains that have a free host', async () => {
    frankfurt().dryDomains.add(AD(1));
    expect((await offer('VM.GPU.A10.1'))?.availability_zones).toEqual([AD(2), AD(3)]);
  });

  it('of virtual machines are none when no host is free, those of bare metal may be', async () => {
    frankfurt().dryShapes.add('VM.GPU.A10.1').add('BM.GPU.H100.8');
    expect((await offer('VM.GPU.A10.1'))?.availability).toBe('not_available');
    expect((await offer('BM.GPU.H100.8'))?.availability).toBe('unknown');
  });

  it('say which limit is in the way, and what the tenancy may not use', async () => {
    frankfurt().limits.set('gpu-a10-count', 2);
    frankfurt().forbiddenShapes.add('BM.GPU4.8');
    expect((await offer('VM.GPU.A10.2'))?.availability).toBe('available');
    expect(await offer('BM.GPU.A10.4')).toMatchObject({
      availability: 'no_quota',
      availability_reason: 'the limit gpu-a10-count is 2, BM.GPU.A10.4 needs 4',
    });
    expect(await offer('BM.GPU4.8')).toMatchObject({
      availability: 'no_quota',
      availability_reason: 'the tenancy may not use BM.GPU4.8 in this region',
    });
  });

  it('are still told when Oracle does not answer', async () => {
    const nowhere = environment('http://127.0.0.1:1');
    const compute = await ociModule.open(config(), nowhere);
    const found = (await compute.offers(QUERY, call())).find(isSmall);
    expect(found).toMatchObject({ availability: 'unknown', availability_zones: null });
    expect(nowhere.said.join()).toContain('OCI eu-frankfurt-1 does not tell its availability domains');
  });

  it('are refused with a key that Oracle does not know', async () => {
    const creds = { ...config().creds, fingerprint: 'other' };
    const failure = await failureOf((await open({ creds })).offers(QUERY, call()));
    expect(failure).toMatchObject({ kind: 'credentials', blocks: 'account' });
    expect(JSON.stringify(failure)).not.toContain(PRIVATE_KEY.split('\n')[1]);
  });

  it('of a reservation are none', async () => {
    expect(await world.compute.offers(gpus({}, { reservation: 'r' }), call())).toEqual([]);
  });
});

describe('a launch', () => {
  it('is what Oracle needs, in a compartment and a network of the project', async () => {
    const wanted = attempt(await small(), { tags: { cost: 'low' } });
    await world.compute.create(wanted, call());
    const [instance] = world.fake.instances;
    expect(instance?.tags).toEqual({
      cost: 'low',
      owner: 'dstack',
      dstack_project: 'main-project',
      dstack_name: 'one',
      dstack_user: 'admin',
      dstack_server: OWNER,
      dstack_attempt: wanted.token,
    });
    expect(instance?.request).toMatchObject({
      compartmentId: 'ocid1.compartment.oc1..dstack-main-project',
      availabilityDomain: AD(1),
      sourceDetails: {
        sourceType: 'image',
        imageId: 'ocid1.image.oc1.eu-frankfurt-1.2026.06.30-0',
        bootVolumeSizeInGBs: 100,
      },
      instanceOptions: { areLegacyImdsEndpointsDisabled: true },
      createVnicDetails: { assignPublicIp: true },
      metadata: { ssh_authorized_keys: PUBLIC_KEY },
    });
    expect(instance?.userData).toContain(PUBLIC_KEY);
    expect(instance?.userData).toContain('docker.io');
    const { vcns, parts, routeRules, securityRules } = frankfurt();
    expect(vcns.map((vcn) => vcn['displayName'])).toEqual(['dstack-main-project-default-vcn']);
    expect(Object.values(parts).map((each) => each.length)).toEqual([1, 1, 1]);
    expect([...routeRules.values()].flat()).toMatchObject([{ destination: '0.0.0.0/0' }]);
    expect([...securityRules.values()].flat()).toMatchObject([{ direction: 'INGRESS', protocol: 'all' }]);
  });

  it('of a flexible shape says how many cores and how much memory', async () => {
    const query = {
      ...QUERY,
      requirements: { resources: { cpu: { count: { min: 4, max: 4 } }, memory: { min: 32, max: 32 } } },
    };
    const flexible = (await world.compute.offers(query, call())).find(
      ({ instance, region }) =>
        instance.name === 'VM.Standard.E4.Flex' && region === 'eu-frankfurt-1' && !instance.resources.spot,
    );
    await world.compute.create(attempt(flexible), call());
    expect(world.fake.instances[0]?.request).toMatchObject({ shapeConfig: { ocpus: 2, memoryInGBs: 32 } });
  });

  it.each([
    ['VM.GPU.A10.1', 'dstack-cuda-0.14'],
    ['VM.GPU3.1', 'dstack-cuda-0.10'],
  ])('of %s takes the image %s, whose terms are accepted once', async (shape, listing) => {
    const offers = await world.compute.offers(gpus({ count: { min: 1 } }), call());
    const wanted = offers.find(
      ({ instance, region }) => instance.name === shape && region === 'eu-frankfurt-1' && !instance.resources.spot,
    );
    await world.compute.create(attempt(wanted), call());
    await world.compute.create(attempt(wanted), call());
    expect(JSON.stringify(world.fake.instances[1]?.request)).toContain(`"ocid1.image.oc1..listing-${listing}"`);
    expect(world.fake.instances[0]?.userData).not.toContain('docker.io');
    expect(world.fake.requests.filter((each) => each.endsWith('POST /20181001/acceptedAgreements'))).toHaveLength(1);
    const later = await open();
    await later.create(attempt(wanted), call());
    expect(world.fake.requests.filter((each) => each.endsWith('POST /20181001/acceptedAgreements'))).toHaveLength(1);
  });

  it('of preemptible capacity ends with it', async () => {
    const spot = (await world.compute.offers(QUERY, call())).find(
      ({ instance, region }) =>
        instance.name === 'VM.Standard2.1' && region === 'eu-frankfurt-1' && instance.resources.spot,
    );
    const ref = refOf(await world.compute.create(attempt(spot), call()));
    const [instance] = world.fake.instances;
    expect(instance?.request).toMatchObject({
      preemptibleInstanceConfig: { preemptionAction: { type: 'TERMINATE', preserveBootVolume: false } },
    });
    await until(() => instance?.state === 'RUNNING');
    if (instance !== undefined) frankfurt().end(instance);
    await until(async () => (await world.compute.get(ref, call())).state === 'gone');
  });

  it('goes to the domain of the attempt, and to the first when there is none', async () => {
    const offer = await small();
    await world.compute.create(attempt(offer, { zone: AD(3) }), call());
    await world.compute.create(attempt(offer, { zone: null }), call());
    expect(world.fake.instances.map(({ domain }) => domain)).toEqual([AD(3), AD(1)]);
    frankfurt().dryDomains.add(AD(2));
    expect(await failureOf(world.compute.create(attempt(offer, { zone: AD(2) }), call()))).toMatchObject({
      kind: 'no-capacity',
      blocks: 'zone',
      message: 'InternalError: Out of host capacity.',
    });
    // Not tried again at once: a host is not there a second later either.
    expect(world.fake.requests.filter((each) => each.endsWith('POST /20160918/instances'))).toHaveLength(3);
  });

  it('repeated with another image finds what was made', async () => {
    const wanted = attempt(await small());
    const first = refOf(await world.compute.create(wanted, call()));
    const again = { ...wanted, tags: { other: 'request' } };
    expect(refOf(await world.compute.create(again, call())).machineId).toBe(first.machineId);
    expect(world.fake.instances).toHaveLength(1);
  });

  it.each([
    [400, 'LimitExceeded', 'limit', 'quota', 'offer'],
    [400, 'QuotaExceeded', 'quota', 'quota', 'offer'],
    [400, 'InvalidParameter', 'wrong', 'rejected', 'offer'],
    [401, 'NotAuthenticated', 'who', 'credentials', 'account'],
    [404, 'NotAuthorizedOrNotFound', 'not found', 'not-found', 'region'],
    [409, 'IncorrectState', 'busy', 'outage', 'offer'],
    [500, 'InternalError', 'oops', 'outage', 'account'],
    [500, 'InternalError', 'Out of host capacity.', 'no-capacity', 'zone'],
    [500, 'OutOfHostCapacity', 'none', 'no-capacity', 'zone'],
    [503, 'ServiceUnavailable', 'later', 'outage', 'account'],
  ])('refused as %d %s (%s) is %s', async (status, code, text, kind, blocks) => {
    const wanted = attempt(await small());
    for (let tries = 0; tries < 6; tries += 1)
      world.fake.refuseNext('POST', '/instances', new OciRefusal(status, code, text));
    expect(await failureOf(world.compute.create(wanted, call()))).toMatchObject({
      kind,
      blocks,
      message: expect.stringContaining(`${code}: ${text}`) as string,
    });
    expect(world.fake.instances).toEqual([]);
  });

  it('turned away for a moment comes again, for long says until when', async () => {
    const wanted = attempt(await small());
    const throttled = (seconds: string) => new OciRefusal(429, 'TooManyRequests', 'slow', { 'retry-after': seconds });
    world.fake.refuseNext('POST', '/instances', throttled('60'));
    const before = Date.now();
    const failure = await failureOf(world.compute.create(wanted, call()));
    expect(failure).toMatchObject({ kind: 'throttled', blocks: 'account' });
    expect((failure as { retryAt: number }).retryAt).toBeGreaterThanOrEqual(before + 60_000);
    world.fake.refuseNext('POST', '/instances', throttled('2'));
    expect((await world.compute.create(wanted, call())).state).toBe('pending');
  });
});

describe('what a project needs', () => {
  it('is made once in each region, and completed where a part is missing', async () => {
    const offer = await small();
    await Promise.all([world.compute.create(attempt(offer), call()), world.compute.create(attempt(offer), call())]);
    const made = () => world.fake.requests.filter((each) => /POST .*\/(compartments|vcns|subnets|internetGateways|networkSecurityGroups)$/.test(each)); // prettier-ignore
    expect(made()).toHaveLength(5);
    const own = { destination: '10.9.0.0/16', destinationType: 'CIDR_BLOCK', networkEntityId: 'ocid1.drg.oc1..mine' };
    for (const id of frankfurt().routeRules.keys()) frankfurt().routeRules.set(id, [own]);
    await (await open()).create(attempt(offer), call());
    expect(made()).toHaveLength(5);
    expect([...frankfurt().routeRules.values()].flat()).toMatchObject([own, { destination: '0.0.0.0/0' }]);
  });

  it('is looked for again when Oracle says that something is not there', async () => {
    const offer = await small();
    await world.compute.create(attempt(offer), call());
    const { parts } = frankfurt();
    for (const each of Object.values(parts)) each.length = 0;
    const wanted = attempt(offer);
    expect(await failureOf(world.compute.create(wanted, call()))).toMatchObject({
      kind: 'not-found',
      blocks: 'region',
    });
    expect((await world.compute.create(wanted, call())).state).toBe('pending');
  });

  it('may be a compartment of one’s own', async () => {
    const compute = await open({ compartment_id: 'ocid1.compartment.oc1..mine' });
    await compute.create(attempt(await small()), call());
    expect(world.fake.identity.compartments).toEqual([]);
    expect(await compute.list(OWNER, call())).toHaveLength(1);
    expect(await world.compute.list(OWNER, call())).toEqual([]);
  });
});

describe('a machine', () => {
  it('that Oracle does not know yet is waited for, for a minute', async () => {
    let now = Date.now();
    const compute = await open({}, () => now);
    const ref = refOf(await compute.create(attempt(await small()), call()));
    frankfurt().instances.clear();
    expect((await compute.get(ref, call())).state).toBe('pending');
    expect(await compute.terminate(ref, call())).toBe('pending');
    now += 200_000; // the stand-in has a clock of its own
    const later = { signal: new AbortController().signal, deadline: now + 10_000 };
    expect((await compute.get(ref, later)).state).toBe('gone');
    expect(await compute.terminate(ref, later)).toBe('done');
  });

  it('is not taken as terminated by who may not look', async () => {
    const ref = refOf(await world.compute.create(attempt(await small()), call()));
    const denied = new OciRefusal(
      404,
      'NotAuthorizedOrNotFound',
      'Authorization failed or requested resource not found.',
    );
    world.fake.refuseNext('GET', `/instances/${ref.machineId}`, denied);
    world.fake.refuseNext('GET', '/instances', denied);
    expect(await failureOf(world.compute.terminate(ref, call()))).toMatchObject({
      kind: 'credentials',
      blocks: 'account',
    });
  });

  it('that is still being made is terminated later', async () => {
    const ref = refOf(await world.compute.create(attempt(await small()), call()));
    world.fake.refuseNext('DELETE', '/instances', new OciRefusal(409, 'IncorrectState', 'PROVISIONING'));
    expect(await world.compute.terminate(ref, call())).toBe('pending');
    await until(async () => (await world.compute.terminate(ref, call())) === 'done');
    expect(world.fake.instances.map(({ state }) => state)).toEqual(['TERMINATED']);
  });

  it('that was stopped is no use, and may still cost', async () => {
    const ref = refOf(await world.compute.create(attempt(await small()), call()));
    await until(() => world.fake.instances[0]?.state === 'RUNNING');
    if (world.fake.instances[0] !== undefined) world.fake.instances[0].state = 'STOPPED';
    expect(await world.compute.get(ref, call())).toMatchObject({ state: 'failed', message: 'it was stopped' });
    expect(await world.compute.list(OWNER, call())).toHaveLength(1);
  });
});
