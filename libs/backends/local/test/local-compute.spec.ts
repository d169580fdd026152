import { spawn } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MachineRef, MachineState } from '@dstack/backend-base';
import { testEnvironment } from '@dstack/backend-base/conformance';
import { localModule, type LocalCompute } from '../src/compute.js';
import { localDefinition } from '../src/definition.js';
import { listProcesses } from '../src/process-table.js';
import { call, MACHINE, OWNER, requirements, startLocalWorld, type LocalWorld } from './local-world.js';

let world: LocalWorld;
beforeEach(async () => {
  world = await startLocalWorld({ gracePeriodMs: 300 });
});
afterEach(() => world.close());

async function create(name?: string): Promise<MachineRef> {
  const state = await world.compute.create(await world.attempt(name), call());
  if (state.state === 'gone') throw new Error('gone');
  return state.ref;
}

async function settled(ref: MachineRef, compute: LocalCompute = world.compute): Promise<MachineState> {
  let state = await compute.get(ref, call());
  for (let tries = 0; state.state === 'pending' && tries < 500; tries += 1) {
    await sleep(20);
    state = await compute.get(ref, call());
  }
  return state;
}

async function pidOf(ref: MachineRef): Promise<number> {
  return Number(await readFile(join(world.root, ref.cloudName, 'agent.pid'), 'utf8'));
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

// A process that has ended but that nobody has reaped yet runs no more.
const runs = async (pid: number) => (await listProcesses()).some((entry) => entry.pid === pid);

it('is reached through the socket of its agent', async () => {
  const ref = await create();
  expect(await settled(ref)).toEqual({
    state: 'ready',
    ref,
    agent: { via: 'unix', socketPath: join(world.root, ref.cloudName, 'agent.sock') },
    hostname: 'test-machine',
    internalIp: '127.0.0.1',
  });
});

it('keeps its agents over a restart of the server', async () => {
  const ref = await create();
  await settled(ref);
  const pid = await pidOf(ref);
  const restarted = world.restart();
  expect((await restarted.list(OWNER, call())).map((machine) => machine.ref)).toEqual([ref]);
  expect(await settled(ref, restarted)).toMatchObject({ state: 'ready' });
  expect(await pidOf(ref)).toBe(pid);
});

it('starts a dead agent again', async () => {
  const ref = await create();
  await settled(ref);
  const pid = await pidOf(ref);
  process.kill(pid, 'SIGKILL');
  while (isAlive(pid)) await sleep(10);
  expect(await settled(ref)).toMatchObject({ state: 'ready' });
  expect(await pidOf(ref)).not.toBe(pid);
});

it('knows the agent by what it recorded itself when our record is lost', async () => {
  const ref = await create();
  await settled(ref);
  const pid = await pidOf(ref);
  await writeFile(join(world.root, ref.cloudName, 'agent-process.json'), 'half a rec');
  expect(await settled(ref)).toMatchObject({ state: 'ready' });
  expect(await pidOf(ref)).toBe(pid);
});

it('gives up an agent that ends right after each start, and says why', async () => {
  const state = await settled(await create('crash'));
  expect(state).toMatchObject({ state: 'failed' });
  expect(state.state === 'failed' && state.message).toMatch(/ended 5 times right after its start/);
});

it('kills an agent that does not end in time', async () => {
  const ref = await create('stubborn');
  await settled(ref);
  const pid = await pidOf(ref);
  expect(await world.compute.terminate(ref, call())).toBe('done');
  expect(isAlive(pid)).toBe(false);
});

it('reports a termination that outlasts the call, and starts nothing meanwhile', async () => {
  const slow = await startLocalWorld({ gracePeriodMs: 60_000 });
  const state = await slow.compute.create(await slow.attempt('stubborn'), call());
  if (state.state === 'gone') throw new Error('gone');
  await settled(state.ref, slow.compute);
  const pid = Number(await readFile(join(slow.root, state.ref.cloudName, 'agent.pid'), 'utf8'));
  expect(await slow.compute.terminate(state.ref, { ...call(), deadline: Date.now() + 200 })).toBe('pending');
  expect(await slow.compute.get(state.ref, call())).toMatchObject({
    state: 'failed',
    message: 'the instance is being terminated',
  });
  process.kill(pid, 'SIGKILL');
  await slow.close();
});

it('ends the jobs an agent leaves behind, and whatever only looks on lives', async () => {
  const ref = await create('jobs');
  await settled(ref);
  const directory = join(world.root, ref.cloudName);
  const job = Number(await readFile(join(directory, 'job.pid'), 'utf8'));
  const onlooker = spawn('tail', ['-f', join(directory, 'agent.log')], { cwd: directory, stdio: 'ignore' });
  try {
    expect(await runs(job)).toBe(true);
    expect(await world.compute.terminate(ref, call())).toBe('done');
    expect(await runs(job)).toBe(false);
    expect(await runs(onlooker.pid ?? 0)).toBe(true);
  } finally {
    onlooker.kill('SIGKILL');
  }
});

it('leaves a process alone that only has the recorded id', async () => {
  const ref = await create();
  await settled(ref);
  const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
  const pid = stranger.pid ?? 0;
  const agent = await pidOf(ref);
  process.kill(agent, 'SIGKILL');
  while (isAlive(agent)) await sleep(10);
  const directory = join(world.root, ref.cloudName);
  await writeFile(join(directory, 'agent.pid'), String(pid));
  await writeFile(
    join(directory, 'agent-process.json'),
    JSON.stringify({ pid, startedAs: 'another boot:1', spawnedAt: 0, quickDeaths: 0 }),
  );
  expect(await world.compute.terminate(ref, call())).toBe('done');
  expect(isAlive(pid)).toBe(true);
  stranger.kill('SIGKILL');
});

it('keeps its directories to their owner and the environment of the server to itself', async () => {
  process.env['FAKE_AGENT_SECRET'] = 'secret';
  try {
    const ref = await create();
    expect(await settled(ref)).toMatchObject({ state: 'ready' });
    expect((await stat(join(world.root, ref.cloudName))).mode & 0o777).toBe(0o700);
  } finally {
    delete process.env['FAKE_AGENT_SECRET'];
  }
});

it.each(['../elsewhere', '', '/etc', 'a b', 'A'])('does not take %j for a name', async (cloudName) => {
  await expect(world.compute.create({ ...(await world.attempt()), cloudName }, call())).rejects.toThrow(
    'is not a name of a local instance',
  );
});

it('says so when the socket path would be too long', async () => {
  const deep = join(world.root, 'x'.repeat(90));
  await mkdir(deep);
  const other = await startLocalWorld({ rootDirectory: deep });
  await expect(other.compute.create(await other.attempt(), call())).rejects.toThrow('use a shorter server directory');
});

it('refuses the name of another attempt', async () => {
  const attempt = await world.attempt();
  await world.compute.create(attempt, call());
  await expect(world.compute.create({ ...attempt, token: 'other' }, call())).rejects.toThrow('exists already');
});

it('says that the agent cannot be started', async () => {
  const broken = await startLocalWorld({ agentCommand: ['/no/such/program'] });
  await expect(broken.compute.create(await broken.attempt(), call())).rejects.toThrow('the agent cannot be started');
  await broken.close();
});

it('runs containers where an engine may answer', async () => {
  expect(world.compute.runtimes).toEqual({ available: { container: false, process: true }, preference: 'auto' });
  const open = await localModule.open(localDefinition.configSchema.parse({ type: 'local', runtime: 'container' }), {
    ...testEnvironment(null),
    rootDirectory: world.root,
    agentCommand: ['true'],
    machine: { ...MACHINE, dockerSocket: '/var/run/docker.sock' },
  });
  expect(open.runtimes).toEqual({ available: { container: true, process: true }, preference: 'container' });
});

describe('offers', () => {
  const offer = async (asked: ReturnType<typeof requirements>, fullOffers = false) => {
    const [first] = await world.compute.offers({ requirements: asked, fullOffers, unallocated: false }, call());
    return first;
  };

  it('are cut to the least that is asked', async () => {
    expect(await offer(requirements(4, 16, 1))).toMatchObject({
      backend: 'local',
      region: 'local',
      price: 0,
      availability: 'available',
      instance: {
        name: 'local',
        resources: { cpus: 4, memory_mib: 16_384, gpus: [{ name: 'A100' }], disk: { size_mib: 0 } },
      },
    });
  });

  it('are the whole machine when asked for in full', async () => {
    expect((await offer(requirements(), true))?.instance.resources).toMatchObject({
      cpus: MACHINE.cpus,
      memory_mib: MACHINE.memoryMib,
    });
  });

  it('give each instance its own devices, until they are held', async () => {
    const one = await offer(requirements(1, 1, 1));
    if (one === undefined) throw new Error('no offer');
    expect(one.backend_data).toEqual({ gpus: [0] });
    await world.compute.create({ ...(await world.attempt()), offer: one }, call());
    expect((await offer(requirements(1, 1, 1)))?.backend_data).toEqual({ gpus: [1] });
    expect(await offer(requirements(1, 1, 2))).toMatchObject({
      availability: 'not_available',
      availability_reason: '2 gpus needed, 1 of 2 free',
    });
  });
});
