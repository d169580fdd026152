import { isBackendError } from '@dstack/backend-base';
import { whyUnusable } from '../src/acm-certificate.js';
import { balancerSubnets } from '../src/balancer-requests.js';
import { attempt, type AwsWorld, call, isSmall, OWNER, QUERY, startAwsWorld } from './support/aws-world.js';

const REGION = 'us-east-1';
const CERTIFICATE = `arn:aws:acm:${REGION}:123456789012:certificate/12345678-1234-1234-1234-123456789012`;

let world: AwsWorld;
beforeEach(async () => {
  world = await startAwsWorld();
  world.fake.certificates.set(CERTIFICATE, 'ISSUED');
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const request = (over: object = {}) => ({
  cloudName: 'dstack-edge-0123456789ab',
  region: REGION,
  owner: OWNER,
  project: 'main-project',
  gatewayName: 'edge',
  certificate: CERTIFICATE,
  isPublic: true,
  tags: { team: 'web' },
  ...over,
});
const groups = () => world.fake.region(REGION).groups;
const names = () => [...groups().keys()];
const elb = () => world.fake.balancing(REGION);
const support = () => {
  const { gateways } = world.compute;
  if (gateways?.balancers === undefined) throw new Error('no balancers');
  return { ...gateways, balancers: gateways.balancers };
};
const balancers = () => support().balancers;
const readyMachine = async (balancer: string | null = request().cloudName) => {
  const offer = (await world.compute.offers(QUERY, call())).find(isSmall);
  const asked = { ...attempt(offer), publicIp: true, instanceType: null, balancer };
  for (;;) {
    const made = await support().createReplica(asked, call());
    if (made.state === 'ready') return made.ref;
  }
};
const refusal = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(() => null, (failure: unknown) => failure); // prettier-ignore
  if (!isBackendError(error)) throw new Error(`it was not refused: ${String(error)}`);
  return { kind: error.failure.kind, message: error.message };
};

describe('the load balancer of a gateway on AWS', () => {
  it('ends TLS in all zones, sends HTTP to HTTPS, and trusts only what comes from its subnets', async () => {
    const state = await balancers().ensure(request(), call());
    expect(state).toEqual({
      state: 'ready',
      hostname: expect.stringMatching(/^dstack-edge-0123456789ab-.*\.elb\.amazonaws\.com$/) as string,
      addresses: ['172.31.0.0/20', '172.31.16.0/20', '172.31.32.0/20'],
    });
    const [balancer] = elb().balancers.values();
    const group = groups().get('dstack-edge-0123456789ab_balancer');
    expect(balancer?.input).toMatchObject({
      Subnets: ['subnet-us-east-1a', 'subnet-us-east-1b', 'subnet-us-east-1c'],
      SecurityGroups: [group?.id],
      Scheme: 'internet-facing',
      Tags: expect.arrayContaining([
        { Key: 'team', Value: 'web' },
        { Key: 'dstack_server', Value: OWNER },
      ]) as object,
    });
    for (const port of [80, 443]) expect(JSON.stringify(group)).toContain(`"FromPort":${port}`);
    expect(balancer?.attributes.get('idle_timeout.timeout_seconds')).toBe('600');
    const listeners = [...elb().listeners.values()].map(({ input }) => input);
    expect(listeners).toEqual([
      expect.objectContaining({ Port: 443, Protocol: 'HTTPS', Certificates: [{ CertificateArn: CERTIFICATE }] }),
      expect.objectContaining({
        Port: 80,
        DefaultActions: [{ Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } }],
      }),
    ]); // prettier-ignore
    const [targets] = elb().groups.values();
    expect(targets?.input).toMatchObject({ Protocol: 'HTTP', Port: 80, Matcher: { HttpCode: '200-499' } });
  });

  it('is the only one who reaches the port of its machines, beside SSH', async () => {
    await balancers().ensure(request(), call());
    const machine = await readyMachine();
    const { input } = world.fake.instances.find(({ id }) => id === machine.machineId) ?? {};
    const machines = groups().get('dstack-edge-0123456789ab_machines');
    expect(input).toMatchObject({ NetworkInterfaces: [{ Groups: [machines?.id] }] });
    expect(machines?.permissions).toEqual([
      { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
      {
        IpProtocol: 'tcp',
        FromPort: 80,
        ToPort: 80,
        UserIdGroupPairs: [{ GroupId: groups().get('dstack-edge-0123456789ab_balancer')?.id }],
      },
    ]);
  });

  it('gives its groups back once nothing is in them any more, and is known by them until then', async () => {
    await balancers().ensure(request(), call());
    const machine = await readyMachine();
    elb().interfacesLeaveMs = 60_000;
    expect(await balancers().delete(request(), call())).toBe('pending');
    expect([elb().isEmpty, names().length]).toEqual([true, 2]);
    while ((await support().terminateReplica(machine, call())) !== 'done');
    expect(await balancers().delete(request(), call())).toBe('pending');
    expect(names()).toEqual(['dstack-edge-0123456789ab_balancer']);
    expect(await balancers().list(OWNER, call())).toEqual([{ cloudName: request().cloudName, region: REGION }]);
    elb().interfacesLeaveMs = 0;
    expect(await balancers().delete(request(), call())).toBe('done');
    expect(names()).toEqual([]);
    expect(await balancers().list(OWNER, call())).toEqual([]);
  });

  it('from before it had a group of its own gets one, or is given back without', async () => {
    await balancers().ensure(request(), call());
    await readyMachine(null);
    const [old] = elb().balancers.values();
    const shared = groups().get('dstack_gw_security_group_main_project')?.id ?? '';
    if (old !== undefined) old.groupIds = [shared];
    for (const name of names()) if (name.startsWith('dstack-edge')) groups().delete(name);
    await balancers().ensure(request(), call());
    expect(old?.groupIds).toEqual([groups().get('dstack-edge-0123456789ab_balancer')?.id]);
    if (old !== undefined) old.groupIds = [shared];
    for (const name of names()) if (name.startsWith('dstack-edge')) groups().delete(name);
    expect(await balancers().delete(request(), call())).toBe('done');
    expect(names()).toEqual(['dstack_gw_security_group_main_project']);
  });

  it('is one, however often it is asked for, also at once', async () => {
    await Promise.all([balancers().ensure(request(), call()), balancers().ensure(request(), call())]);
    await balancers().ensure(request(), call());
    expect([elb().balancers.size, elb().groups.size, elb().listeners.size]).toEqual([1, 1, 2]);
    expect(await balancers().list(OWNER, call())).toEqual([{ cloudName: request().cloudName, region: REGION }]);
    expect(await balancers().list('somebody-else', call())).toEqual([]);
  });

  it('is waited for while AWS provisions it', async () => {
    elb().provisionMs = 60_000;
    expect(await balancers().ensure(request(), call())).toMatchObject({ state: 'pending' });
    elb().provisionMs = 0;
    expect(await balancers().ensure(request(), call())).toMatchObject({ state: 'ready' });
  });

  it('without public addresses is of its own network', async () => {
    world.fake.region(REGION).hasInternetGateway = false;
    world.fake.region(REGION).hasNat = true;
    await balancers().ensure(request({ isPublic: false }), call());
    expect([...elb().balancers.values()][0]?.input).toMatchObject({ Scheme: 'internal' });
  });

  it.each([
    ['CreateLoadBalancer', 'TooManyLoadBalancers', 'quota'],
    ['AuthorizeSecurityGroupIngress', 'RulesPerSecurityGroupLimitExceeded', 'rejected'],
    ['ModifyLoadBalancerAttributes', 'InvalidConfigurationRequest', 'rejected'],
    ['CreateTargetGroup', 'TooManyTargetGroups', 'quota'],
    ['CreateListener', 'UnsupportedProtocol', 'rejected'],
  ])('whose %s fails with %s is given back whole, or made whole', async (action, code, kind) => {
    world.fake.refuseNext(action, code);
    expect(await refusal(balancers().ensure(request(), call()))).toMatchObject({ kind });
    expect(await balancers().delete(request(), call())).toBe('done');
    expect([elb().isEmpty, names()]).toEqual([true, []]);
    world.fake.refuseNext(action, code);
    await refusal(balancers().ensure(request(), call()));
    expect(await balancers().ensure(request(), call())).toMatchObject({ state: 'ready' });
    expect([elb().balancers.size, elb().groups.size, elb().listeners.size]).toEqual([1, 1, 2]);
    await balancers().delete(request(), call());
    expect(elb().isEmpty).toBe(true);
  });

  it.each([
    ['nothing', () => undefined],
    ['its listeners', () => elb().listeners.clear()],
    ['the balancer', () => (elb().listeners.clear(), elb().balancers.clear())],
    ['the target group', () => (elb().listeners.clear(), elb().groups.clear())],
    ['all of it', () => (elb().listeners.clear(), elb().balancers.clear(), elb().groups.clear())],
  ])('is given back when somebody has deleted %s', async (_what, remove) => {
    await balancers().ensure(request(), call());
    remove();
    expect(await balancers().delete(request(), call())).toBe('done');
    expect(await balancers().delete(request(), call())).toBe('done');
    expect(elb().isEmpty).toBe(true);
  });

  it('is gone when AWS has seen that no listener has its target group any more', async () => {
    await balancers().ensure(request(), call());
    elb().heldGroups = 1;
    expect(await balancers().delete(request(), call())).toBe('pending');
    expect(await balancers().delete(request(), call())).toBe('done');
    expect(elb().isEmpty).toBe(true);
  });

  it('sends requests to a machine that it has seen healthy, until that leaves', async () => {
    await balancers().ensure(request(), call());
    const machine = await readyMachine();
    elb().healthMs = 60_000;
    expect(await balancers().join(request(), machine, call())).toMatch(/does not reach.*in progress/);
    elb().healthMs = 0;
    expect(await balancers().join(request(), machine, call())).toBeNull();
    const [group] = elb().groups.values();
    expect([...(group?.targets.keys() ?? [])]).toEqual([machine.machineId]);
    await balancers().leave(request(), machine, call());
    expect(group?.targets.size).toBe(0);
    await balancers().leave(request(), machine, call());
    await balancers().delete(request(), call());
    await balancers().leave(request(), machine, call());
    expect(await refusal(balancers().join(request(), machine, call()))).toMatchObject({ kind: 'outage' });
  });

  it.each([
    ['PENDING_VALIDATION', 'rejected', /is not issued yet: prove/],
    ['EXPIRED', 'rejected', /has expired/],
    ['FAILED', 'rejected', /says FAILED/],
    [null, 'rejected', /Could not find certificate/],
  ])('with a certificate that is %s is refused before anything is made', async (status, kind, message) => {
    if (status === null) world.fake.certificates.clear();
    else world.fake.certificates.set(CERTIFICATE, status);
    const refused = await refusal(balancers().ensure(request(), call()));
    expect(refused).toEqual({ kind, message: expect.stringMatching(message) as string });
    expect(elb().isEmpty).toBe(true);
  });

  it('of an account that may not ask about certificates is told by the balancer', async () => {
    world.fake.certificates.clear();
    world.fake.refuseNext('DescribeCertificate', 'AccessDeniedException');
    expect(await refusal(balancers().ensure(request(), call()))).toMatchObject({
      message: expect.stringContaining('CertificateNotFound') as string,
    });
    world.fake.certificates.set(CERTIFICATE, 'ISSUED');
    world.fake.refuseNext('DescribeCertificate', 'AccessDeniedException');
    expect(await balancers().ensure(request(), call())).toMatchObject({ state: 'ready' });
  });

  it('needs a network in two zones', async () => {
    world.fake.region(REGION).subnetCount = 1;
    expect(await refusal(balancers().ensure(request(), call()))).toEqual({
      kind: 'rejected',
      message: expect.stringMatching(/in two zones; network vpc-us-east-1 has them in us-east-1a only/) as string,
    });
    expect(elb().isEmpty).toBe(true);
  });
});

it('takes one subnet of each zone', () => {
  const subnet = (id: string, zone: string) => ({ id, zone, cidr: null });
  const subnets = [subnet('b1', 'b'), subnet('a1', 'a'), subnet('a2', 'a')];
  expect(balancerSubnets({ vpcId: 'v', subnets }).map(({ id }) => id)).toEqual(['a1', 'b1']);
});

it.each([
  ['ISSUED', undefined, null],
  ['FAILED', 'CAA_ERROR', 'cannot be used: AWS Certificate Manager says FAILED (CAA_ERROR)'],
  [undefined, undefined, 'cannot be used: AWS Certificate Manager says nothing of it'],
])('a certificate that is %s (%s) is unusable: %s', (status, failure, expected) => {
  expect(whyUnusable(status, failure)).toBe(expected);
});
