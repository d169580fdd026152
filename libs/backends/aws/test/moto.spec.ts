import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateRouteCommand,
  DescribeRouteTablesCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import type { Compute } from '@dstack/backend-base';
import { awsModule } from '../src/compute.js';
import { attempt, call, config, environment, isSmall, OWNER, QUERY } from './support/aws-world.js';

const PORT = 20_000 + (process.pid % 10_000);
const URL = `http://127.0.0.1:${PORT}`;
const REGION = 'us-east-1';

const why = process.env['DSTACK_TEST_FULL'] === undefined ? 'it is part of the full run' : installMoto();
if (why !== null && process.env['DSTACK_TEST_FULL'] !== undefined) console.warn(`AWS was not tried on moto: ${why}`);

/** An emulator by others, which knows less than AWS (it forgets tokens, and has no quotas) and is not of our making. */
(why === null ? describe : describe.skip)('AWS, emulated by moto', () => {
  let moto: ChildProcess;
  let compute: Compute;

  beforeAll(async () => {
    moto = spawn(join(directory(), 'bin', 'moto_server'), ['-p', String(PORT)], { stdio: 'ignore' });
    await untilItAnswers();
    await connectDefaultNetwork();
    const own = { cpu: { name: 'ubuntu/images/hvm-ssd/*', owner: '099720109477', user: 'ubuntu' } };
    compute = await awsModule.open(config({ regions: [REGION], os_images: own }), environment(URL));
  }, 120_000);
  afterAll(async () => {
    await compute.close?.();
    const ended = new Promise((resolve) => moto.once('exit', resolve));
    moto.kill();
    await ended;
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

function directory(): string {
  return join(tmpdir(), 'dstack-moto-5.2.1');
}

/** Null: it is there. */
function installMoto(): string | null {
  if (existsSync(join(directory(), 'bin', 'moto_server'))) return null;
  try {
    execFileSync('python3', ['-m', 'venv', directory()], { stdio: 'pipe' });
    execFileSync(join(directory(), 'bin', 'pip'), ['install', '-q', 'moto[server]==5.2.1'], {
      stdio: 'pipe',
      timeout: 120_000,
    });
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

async function untilItAnswers(): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await fetch(URL).then(() => true, () => false)) return; // prettier-ignore
    await sleep(100);
  }
  throw new Error('moto does not answer');
}

/** Moto's default network has no way out. */
async function connectDefaultNetwork(): Promise<void> {
  const ec2 = new EC2Client({ region: REGION, endpoint: URL, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
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
