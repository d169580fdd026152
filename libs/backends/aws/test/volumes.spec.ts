import { randomUUID } from 'node:crypto';
import { type CloudVolume, isBackendError, type MachineRef, type VolumeSupport } from '@dstack/backend-base';
import { attempt, type AwsWorld, call, isSmall, OWNER, QUERY, startAwsWorld } from './support/aws-world.js';

const REGION = 'us-east-1';

let world: AwsWorld;
let volumes: VolumeSupport;
beforeEach(async () => {
  world = await startAwsWorld();
  const { compute } = world;
  if (compute.volumes === undefined) throw new Error('AWS has volumes');
  volumes = compute.volumes;
});
afterEach(async () => {
  await world.close();
  expect(world.fake.violations).toEqual([]);
});

const configuration = (more: object = {}) =>
  ({ type: 'volume', backend: 'aws', name: 'data', region: REGION, size: 100, ...more }) as const;
const request = (more: object = {}) => ({
  configuration: configuration(more),
  token: randomUUID(),
  cloudName: `dstack-main-data-${randomUUID().slice(0, 8)}`,
  owner: OWNER,
});
const create = (more: object = {}): Promise<CloudVolume> => volumes.create(request(more), call());
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => (isBackendError(error) ? { kind: error.failure.kind, message: error.message } : error),
  );
const until = async <T>(look: () => Promise<T>, isIt: (value: T) => boolean): Promise<T> => {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    const value = await look();
    if (isIt(value)) return value;
  }
  throw new Error('it never came');
};
const machine = async (zone = `${REGION}a`): Promise<MachineRef> => {
  const offer = (await world.compute.offers(QUERY, call())).find(isSmall);
  const made = await world.compute.create(attempt(offer, { zone }), call());
  if (made.state === 'gone') throw new Error('gone');
  await until(
    () => world.compute.get(made.ref, call()),
    ({ state }) => state === 'ready',
  );
  return made.ref;
};
const kept = () => world.fake.region(REGION).volumes.all;

describe('volumes of AWS', () => {
  it('are gp3, in the first zone in which machines can be or in the one that is asked for', async () => {
    expect(await create()).toEqual({
      volumeId: expect.stringMatching(/^vol-/) as string,
      sizeGb: 100,
      zone: `${REGION}a`,
      priceUsdPerMonth: 8,
      attachable: true,
      backendData: JSON.stringify({ region: REGION }),
    });
    expect(await create({ availability_zone: `${REGION}c` })).toMatchObject({ zone: `${REGION}c` });
    expect(await failureOf(create({ availability_zone: 'us-east-1z' }))).toMatchObject({ kind: 'rejected' });
  });

  it('are made once by a token, whatever became of the answer', async () => {
    const same = request();
    world.fake.lostVolumes = 1;
    const first = await volumes.create(same, call());
    expect(await volumes.create(same, call())).toEqual(first);
    // Another zone is the first one now: the same attempt all the same.
    const moved = { ...same, configuration: configuration({ availability_zone: `${REGION}b` }) };
    expect(await volumes.create(moved, call())).toEqual(first);
    expect(kept().size).toBe(1);
  });

  it('carry their owner, their name and their tags, and are listed apart from the disks of machines', async () => {
    await create({ tags: { team: 'vision', owner: 'me' } });
    const [volume] = [...kept().values()];
    expect(volume?.tags).toMatchObject({ team: 'vision', owner: 'dstack', dstack_name: 'data', dstack_server: OWNER });
    const [listed, ...more] = await volumes.list(OWNER, call());
    expect(listed).toMatchObject({ cloudName: volume?.tags['Name'], token: volume?.token });
    expect(more).toEqual([]);
    expect(await volumes.list('somebody-else', call())).toEqual([]);
  });

  it('of the user are found by their id', async () => {
    const { volumeId } = await create({ size: 7 });
    const own = { ...configuration({ size: null, volume_id: volumeId }) };
    expect(await volumes.register(own, call())).toMatchObject({ volumeId, sizeGb: 7, zone: `${REGION}a` });
    const wrong = configuration({ volume_id: volumeId, availability_zone: `${REGION}b` });
    expect(await failureOf(volumes.register(wrong, call()))).toMatchObject({ kind: 'rejected' });
    const missing = configuration({ volume_id: 'vol-00000000000000099' });
    expect(await failureOf(volumes.register(missing, call()))).toMatchObject({
      kind: 'not-found',
      message: 'us-east-1 has no volume vol-00000000000000099',
    });
  });

  it('come to a machine and leave it, however often that is asked', async () => {
    const [volume, ref] = [await create(), await machine()];
    expect(await volumes.attach(volume, ref, call())).toEqual({ deviceName: '/dev/sdf' });
    expect(await volumes.attach(volume, ref, call())).toEqual({ deviceName: '/dev/sdf' });
    const second = await create();
    expect(await volumes.attach(second, ref, call())).toEqual({ deviceName: '/dev/sdg' });
    const detach = () => volumes.detach(volume, ref, { force: false }, call());
    await until(detach, (outcome) => outcome === 'done');
    expect(await detach()).toBe('done');
    expect(kept().get(volume.volumeId)?.attachment).toBeNull();
    expect(kept().get(second.volumeId)?.attachment).not.toBeNull();
  });

  it('wait for what is not ready, and are refused where they can never be', async () => {
    const ref = await machine();
    world.fake.region(REGION).volumes.creationMs = 60_000;
    expect(await failureOf(volumes.attach(await create(), ref, call()))).toMatchObject({ kind: 'outage' });
    world.fake.region(REGION).volumes.creationMs = 0;
    const elsewhere = await create({ availability_zone: `${REGION}b` });
    expect(await failureOf(volumes.attach(elsewhere, ref, call()))).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('InvalidVolume.ZoneMismatch') as string,
    });
    const volume = await create();
    await volumes.attach(volume, ref, call());
    expect(await failureOf(volumes.attach(volume, await machine(), call()))).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('VolumeInUse') as string,
    });
  });

  it('that are stuck leave by force', async () => {
    const [volume, ref] = [await create(), await machine()];
    await volumes.attach(volume, ref, call());
    world.fake.region(REGION).volumes.stuck.add(volume.volumeId);
    for (let tries = 0; tries < 3; tries += 1)
      expect(await volumes.detach(volume, ref, { force: false }, call())).toBe('pending');
    await until(
      () => volumes.detach(volume, ref, { force: true }, call()),
      (outcome) => outcome === 'done',
    );
  });

  it('leave with their machine', async () => {
    const [volume, ref] = [await create(), await machine()];
    await volumes.attach(volume, ref, call());
    await until(
      () => world.compute.terminate(ref, call()),
      (outcome) => outcome === 'done',
    );
    expect(await volumes.detach(volume, ref, { force: false }, call())).toBe('done');
  });

  it('are deleted, however often that is asked, but not under a machine', async () => {
    const [volume, ref] = [await create(), await machine()];
    await volumes.attach(volume, ref, call());
    expect(await failureOf(volumes.delete(volume, call()))).toMatchObject({ kind: 'rejected' });
    await until(
      () => volumes.detach(volume, ref, { force: false }, call()),
      (outcome) => outcome === 'done',
    );
    expect(await volumes.delete(volume, call())).toBe('done');
    expect(await volumes.delete(volume, call())).toBe('done');
    expect(await volumes.detach(volume, ref, { force: false }, call())).toBe('done');
    expect(kept().size).toBe(0);
  });
});

describe('placement groups of AWS', () => {
  const group = { cloudName: 'dstack-main-pool-1', region: REGION, owner: OWNER };

  it('take machines, and go when the last of them has', async () => {
    const { placementGroups } = world.compute;
    if (placementGroups === undefined) throw new Error('AWS has placement groups');
    await placementGroups.create(group, call());
    await placementGroups.create(group, call());
    const offer = (await world.compute.offers(QUERY, call())).find(isSmall);
    const made = await world.compute.create(attempt(offer, { placementGroup: group.cloudName }), call());
    if (made.state === 'gone') throw new Error('gone');
    expect(await placementGroups.delete({ ...group, backendData: null }, call())).toBe('pending');
    await until(
      () => world.compute.terminate(made.ref, call()),
      (outcome) => outcome === 'done',
    );
    expect(await placementGroups.delete({ ...group, backendData: null }, call())).toBe('done');
    expect(await placementGroups.delete({ ...group, backendData: null }, call())).toBe('done');
  });
});
