import { isBackendError, type MachineRef, type MachineState } from '@dstack/backend-base';
import { azureModule } from '../src/compute.js';
import {
  attempt,
  type AzureWorld,
  call,
  config,
  environment,
  isSmall,
  OWNER,
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

const replica = async (over: object = {}) => ({
  ...attempt((await world.compute.offers(QUERY, call())).find(isSmall), { instanceName: 'gate' }),
  publicIp: true,
  instanceType: null,
  balancer: null,
  ...over,
});
const gateways = () => {
  const { gateways: support } = world.compute;
  if (support === undefined) throw new Error('no gateways');
  return support;
};
const refOf = (state: MachineState): MachineRef => {
  if (state.state === 'gone') throw new Error('gone');
  return state.ref;
};
const until = async (is: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while (!(await is())) if (Date.now() > deadline) throw new Error('waited in vain');
};

describe('a gateway', () => {
  it('is a small machine that HTTP and SSH reach, at an address that stays', async () => {
    const ref = refOf(await gateways().createReplica(await replica(), call()));
    const [machine] = world.fake.machines;
    expect(machine?.size).toBe('Standard_B1ms');
    expect(machine?.userData).not.toContain('docker');
    expect(JSON.stringify(machine?.request)).toContain('"publicIPAllocationMethod":"Static"');
    expect(JSON.stringify(machine?.request)).toContain('eastus-gateway-security-group');
    const [group] = world.fake.network.securityGroups.values();
    expect(group?.properties).toMatchObject({
      securityRules: [{ name: 'gateway_all', properties: { destinationPortRanges: ['22', '80', '443'] } }],
    });
    await until(async () => (await world.compute.get(ref, call())).state === 'ready');
    expect((await world.compute.list(OWNER, call())).map(({ ref: { cloudName } }) => cloudName)).toEqual([
      ref.cloudName,
    ]);
  });

  it('is one, however often it is asked for', async () => {
    const wanted = await replica();
    const first = refOf(await gateways().createReplica(wanted, call()));
    expect(refOf(await gateways().createReplica(wanted, call())).machineId).toBe(first.machineId);
    expect(world.fake.machines).toHaveLength(1);
  });

  it('goes with all that was made for it, and may be gone already', async () => {
    const ref = refOf(await gateways().createReplica(await replica(), call()));
    await until(async () => (await gateways().terminateReplica(ref, call())) === 'done');
    expect(world.fake.belongings).toEqual([]);
    expect(await gateways().terminateReplica(ref, call())).toBe('done');
  });

  it('is of the size that is asked for, and has no identity', async () => {
    const compute = await azureModule.open(config({ vm_managed_identity: 'ids/reader' }), environment(world.fake.url));
    await compute.gateways?.createReplica(await replica({ instanceType: 'Standard_B2s' }), call());
    expect(world.fake.machines[0]?.size).toBe('Standard_B2s');
    expect(world.fake.machines[0]?.request).not.toHaveProperty('identity');
  });

  it('without a public address there is not', async () => {
    const error: unknown = await gateways()
      .createReplica(await replica({ publicIp: false }), call())
      .catch((reason: unknown) => reason);
    expect(isBackendError(error) && error.failure.kind).toBe('rejected');
    expect(world.fake.machines).toEqual([]);
  });
});
