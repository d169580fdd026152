import { attempt, type AwsWorld, call, isSmall, OWNER, QUERY, startAwsWorld } from './support/aws-world.js';

let world: AwsWorld;
beforeEach(async () => {
  world = await startAwsWorld();
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

describe('a gateway on AWS', () => {
  it('is a small machine of a group of its own, and the same attempt is the same machine', async () => {
    const asked = await replica();
    const made = await gateways().createReplica(asked, call());
    const again = await gateways().createReplica(asked, call());
    if (made.state === 'gone' || again.state === 'gone') throw new Error('it is gone');
    expect(again.ref.machineId).toBe(made.ref.machineId);
    const [machine] = world.fake.instances;
    expect(machine?.input).toMatchObject({ InstanceType: 't3.micro' });
    const userData = Buffer.from(String(machine?.input['UserData']), 'base64').toString();
    expect(userData).not.toContain('docker');
    const [group] = world.fake.region('us-east-1').groups;
    expect(JSON.stringify(group)).toContain('dstack_gw_security_group_');
    for (const port of [22, 80, 443]) expect(JSON.stringify(group)).toContain(`"FromPort":${port}`);
    const listed = await world.compute.list(OWNER, call());
    expect(listed.map(({ ref }) => ref.cloudName)).toEqual([made.ref.cloudName]);
    expect(await gateways().terminateReplica(made.ref, call())).toBe('pending');
  });
});
