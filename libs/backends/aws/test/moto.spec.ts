import { setTimeout as sleep } from 'node:timers/promises';
import { ACMClient, DescribeCertificateCommand, RequestCertificateCommand } from '@aws-sdk/client-acm';
import {
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateRouteCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import type { Compute } from '@dstack/backend-base';
import { Moto, whyNoMoto } from '@dstack/cloud-fakes/moto';
import { awsModule } from '../src/compute.js';
import { attempt, call, config, environment, isSmall, OWNER, QUERY } from './support/aws-world.js';

const REGION = 'us-east-1';

const why = process.env['DSTACK_TEST_FULL'] === undefined ? 'it is part of the full run' : whyNoMoto();
if (why !== null && process.env['DSTACK_TEST_FULL'] !== undefined) console.warn(`AWS was not tried on moto: ${why}`);

/** An emulator by others, which knows less than AWS (it forgets tokens, and has no quotas) and is not of our making. */
(why === null ? describe : describe.skip)('AWS, emulated by moto', () => {
  let moto: Moto;
  let compute: Compute;

  beforeAll(async () => {
    moto = await Moto.start();
    await connectDefaultNetwork(moto.url);
    const own = { cpu: { name: 'ubuntu/images/hvm-ssd/*', owner: '099720109477', user: 'ubuntu' } };
    compute = await awsModule.open(config({ regions: [REGION], os_images: own }), environment(moto.url));
  }, 120_000);
  afterAll(async () => {
    await compute.close?.();
    await moto.stop();
  });

  it('makes a machine, finds it by its owner and gives it back', async () => {
    const offer = (await compute.offers(QUERY, call())).find(isSmall);
    const made = await compute.create(attempt(offer), call());
    if (made.state === 'gone') throw new Error('gone');
    expect(await compute.get(made.ref, call())).toMatchObject({
      state: 'ready',
      agent: { via: 'login', user: 'ubuntu' },
    });
    expect((await compute.list(OWNER, call())).map(({ ref }) => ref.machineId)).toEqual([made.ref.machineId]);
    expect(await compute.list('somebody-else', call())).toEqual([]);
    await compute.terminate(made.ref, call());
    expect(await compute.terminate(made.ref, call())).toBe('done');
    expect((await compute.get(made.ref, call())).state).toBe('gone');
  });

  it('makes the load balancer of a gateway, sends requests to a machine, and gives all of it back', async () => {
    const balancers = compute.gateways?.balancers;
    if (balancers === undefined) throw new Error('no balancers');
    const acm = new ACMClient({ region: REGION, endpoint: moto.url, credentials: KEYS });
    const { CertificateArn: certificate = '' } = await acm.send(new RequestCertificateCommand({ DomainName: '*.a.test' })); // prettier-ignore
    const request = {
      cloudName: 'dstack-edge-0123456789ab',
      region: REGION,
      owner: OWNER,
      project: 'main',
      gatewayName: 'edge',
      certificate,
      isPublic: true,
      tags: {},
    };
    const pending = await balancers.ensure(request, call()).then(null, (error: unknown) => String(error));
    expect(pending).toMatch(/is not issued yet/);
    // Moto issues a certificate once it has been asked about.
    await untilIssued(acm, certificate);
    acm.destroy();
    expect(await balancers.ensure(request, call())).toMatchObject({ state: 'pending' });
    expect(await balancers.ensure(request, call())).toMatchObject({
      state: 'ready',
      hostname: expect.stringContaining('elb.amazonaws.com') as string,
    });
    expect(await balancers.list(OWNER, call())).toEqual([{ cloudName: request.cloudName, region: REGION }]);
    const groups = ['dstack-edge-0123456789ab_balancer', 'dstack-edge-0123456789ab_machines'];
    expect(await groupNames(moto.url)).toEqual(expect.arrayContaining(groups));
    // Moto has no image of a gateway.
    const made = await compute.create(attempt((await compute.offers(QUERY, call())).find(isSmall)), call());
    if (made.state === 'gone') throw new Error('gone');
    await compute.get(made.ref, call());
    expect(await balancers.join(request, made.ref, call())).toBeNull();
    await balancers.leave(request, made.ref, call());
    expect(await balancers.delete(request, call())).toBe('done');
    expect(await balancers.delete(request, call())).toBe('done');
    expect(await balancers.list(OWNER, call())).toEqual([]);
    expect(await groupNames(moto.url)).not.toEqual(expect.arrayContaining([expect.stringContaining('dstack-edge')]));
    await compute.terminate(made.ref, call());
  });

  it('makes a volume, brings it to a machine and takes it away again', async () => {
    const { volumes } = compute;
    if (volumes === undefined) throw new Error('no volumes');
    const made = await compute.create(attempt((await compute.offers(QUERY, call())).find(isSmall)), call());
    if (made.state === 'gone') throw new Error('gone');
    const zone = made.ref.zone ?? '';
    const configuration = {
      type: 'volume',
      backend: 'aws',
      name: 'data',
      region: REGION,
      availability_zone: zone,
      size: 10,
    } as const;
    const request = { configuration, token: 'token-of-data', cloudName: 'dstack-main-data-1', owner: OWNER };
    const volume = await volumes.create(request, call());
    expect(volume).toMatchObject({ sizeGb: 10, zone, priceUsdPerMonth: 0.8 });
    expect(await volumes.attach(volume, made.ref, call())).toEqual({ deviceName: '/dev/sdf' });
    expect(await volumes.attach(volume, made.ref, call())).toEqual({ deviceName: '/dev/sdf' });
    await volumes.detach(volume, made.ref, { force: false }, call());
    expect(await volumes.detach(volume, made.ref, { force: false }, call())).toBe('done');
    expect((await volumes.list(OWNER, call())).map(({ cloudName }) => cloudName)).toEqual(['dstack-main-data-1']);
    await volumes.delete(volume, call());
    await volumes.delete(volume, call());
    expect(await volumes.list(OWNER, call())).toEqual([]);
    await compute.terminate(made.ref, call());
  });
});

const KEYS = { accessKeyId: 'a', secretAccessKey: 'b' };

async function untilIssued(acm: ACMClient, arn: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { Certificate } = await acm.send(new DescribeCertificateCommand({ CertificateArn: arn }));
    if (Certificate?.Status === 'ISSUED') return;
    await sleep(1_000);
  }
  throw new Error('moto issues no certificate');
}

async function groupNames(endpoint: string): Promise<string[]> {
  const ec2 = new EC2Client({ region: REGION, endpoint, credentials: KEYS });
  const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({}));
  ec2.destroy();
  return (SecurityGroups ?? []).flatMap(({ GroupName }) => GroupName ?? []);
}

/** Moto's default network has no way out. */
async function connectDefaultNetwork(endpoint: string): Promise<void> {
  const ec2 = new EC2Client({ region: REGION, endpoint, credentials: KEYS });
  const VpcId = (await ec2.send(new DescribeVpcsCommand({}))).Vpcs?.[0]?.VpcId;
  const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({}));
  await ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId: InternetGateway?.InternetGatewayId, VpcId }));
  const tables = await ec2.send(
    new DescribeRouteTablesCommand({ Filters: [{ Name: 'vpc-id', Values: [VpcId ?? ''] }] }),
  );
  await ec2.send(
    new CreateRouteCommand({
      RouteTableId: tables.RouteTables?.[0]?.RouteTableId,
      DestinationCidrBlock: '0.0.0.0/0',
      GatewayId: InternetGateway?.InternetGatewayId,
    }),
  );
  ec2.destroy();
}
