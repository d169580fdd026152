import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../call.js';
import { CONTAINER_AGENT_SOCKET } from '../container-command.js';
import { failureOf, ready, refOf, requirementsFor, terminated, unknownRef } from './calls.js';
import type { ComputeOverAWire, ComputeUnderTest } from './compute-under-test.js';
import { testCall } from './test-environment.js';

/** One rule of the contract; `check` rejects when the backend breaks it. */
export interface ContractCase<World> {
  readonly rule: string;
  readonly check: (world: World) => Promise<void>;
}

/** What every backend must do. */
export const COMPUTE_CASES: readonly ContractCase<ComputeUnderTest>[] = [
  {
    rule: 'has the optional members its capabilities promise, and no other',
    async check(world) {
      const { capabilities } = world.definition;
      assert.equal(capabilities.networkVolumes, world.compute.volumes !== undefined, 'networkVolumes ⇔ volumes');
      assert.equal(capabilities.gateways, world.compute.gateways !== undefined, 'gateways ⇔ gateways');
      const { balancers } = world.compute.gateways ?? {};
      assert.equal(capabilities.gatewayBalancers, balancers !== undefined, 'gatewayBalancers ⇔ gateways.balancers');
      assert.equal(capabilities.placementGroups, world.compute.placementGroups !== undefined, 'placementGroups');
      assert.equal(capabilities.groupProvisioning, world.compute.groups !== undefined, 'groupProvisioning ⇔ groups');
    },
  },
  {
    rule: 'offers what it can create, in objects the caller may change',
    async check(world) {
      const { offer } = await world.attempt();
      const query = {
        requirements: requirementsFor(offer.instance.resources.spot),
        fullOffers: false,
        unallocated: false,
      };
      const [first] = await world.compute.offers(query, testCall());
      assert.ok(first, 'at least one offer');
      assert.equal(first.backend, world.definition.type);
      const price = first.price;
      first.price = -1;
      first.instance.resources.cpus = -1;
      const [again] = await world.compute.offers(query, testCall());
      assert.equal(again?.price, price, 'a changed offer must not change the next answer');
      assert.notEqual(again?.instance.resources.cpus, -1, 'a changed offer must not change the next answer');
    },
  },
  {
    rule: 'makes a machine that gets ready',
    async check(world) {
      const state = await ready(world, await world.compute.create(await world.attempt(), testCall()));
      assert.equal(state.state, 'ready');
    },
  },
  {
    rule: 'says by its offers of which kind its machines are',
    async check(world) {
      const { offer, container } = await world.attempt();
      const { kind } = world.definition.capabilities;
      assert.equal(container !== null, kind === 'containers', 'attempts of a containers backend say what to run');
      const requirements = requirementsFor(offer.instance.resources.spot);
      for (const each of await world.compute.offers(
        { requirements, fullOffers: false, unallocated: false },
        testCall(),
      ))
        assert.equal(each.instance_runtime, kind === 'containers' ? 'runner' : 'shim', each.instance.name);
    },
  },
  {
    rule: 'leads to the agent of a container, which is there when it is ready',
    async check(world) {
      if (world.definition.capabilities.kind !== 'containers') return;
      const state = await ready(world, await world.compute.create(await world.attempt(), testCall()));
      assert.ok(state.state === 'ready');
      assert.ok(state.agent.via === 'ssh', 'nobody installs an agent in a container');
      assert.equal(state.agent.socketPath, CONTAINER_AGENT_SOCKET);
    },
  },
  {
    rule: 'makes one machine when the same attempt is created twice',
    async check(world) {
      const attempt = await world.attempt();
      const first = refOf(await world.compute.create(attempt, testCall()));
      const second = refOf(await world.compute.create(attempt, testCall()));
      assert.equal(second.machineId, first.machineId);
      assert.equal((await world.compute.list(world.owner, testCall())).length, 1);
    },
  },
  {
    rule: 'makes one machine when the same attempt is created twice at once',
    async check(world) {
      const attempt = await world.attempt();
      await Promise.all([world.compute.create(attempt, testCall()), world.compute.create(attempt, testCall())]);
      assert.equal((await world.compute.list(world.owner, testCall())).length, 1);
    },
  },
  {
    rule: 'makes two machines of two attempts',
    async check(world) {
      await world.compute.create(await world.attempt(), testCall());
      await world.compute.create(await world.attempt(), testCall());
      assert.equal((await world.compute.list(world.owner, testCall())).length, 2);
    },
  },
  {
    rule: 'lists the machines of the owner, and of nobody else',
    async check(world) {
      const attempt = await world.attempt();
      const ref = refOf(await world.compute.create(attempt, testCall()));
      const [listed] = await world.compute.list(world.owner, testCall());
      assert.equal(listed?.ref.machineId, ref.machineId);
      assert.equal(listed?.ref.cloudName, attempt.cloudName);
      assert.deepEqual(await world.compute.list(`${world.owner}-other`, testCall()), []);
    },
  },
  {
    rule: 'terminates, and terminates again',
    async check(world) {
      const ref = refOf(await world.compute.create(await world.attempt(), testCall()));
      await terminated(world, ref);
      assert.equal(await world.compute.terminate(ref, testCall()), 'done');
      assert.deepEqual(await world.compute.list(world.owner, testCall()), []);
    },
  },
  {
    rule: 'terminates a machine that is found by its name only',
    async check(world) {
      const attempt = await world.attempt();
      const ref = refOf(await world.compute.create(attempt, testCall()));
      await terminated(world, { ...ref, machineId: null, backendData: null });
      assert.deepEqual(await world.compute.list(world.owner, testCall()), []);
    },
  },
  {
    rule: 'takes an unknown machine as terminated and gone',
    async check(world) {
      const unknown = await unknownRef(world);
      assert.equal(await world.compute.terminate(unknown, testCall()), 'done');
      assert.equal((await world.compute.get(unknown, testCall())).state, 'gone');
    },
  },
  {
    rule: 'finds a terminated machine gone',
    async check(world) {
      const ref = refOf(await world.compute.create(await world.attempt(), testCall()));
      await terminated(world, ref);
      assert.equal((await world.compute.get(ref, testCall())).state, 'gone');
    },
  },
  {
    rule: 'tells missing capacity as such and leaves nothing behind',
    async check(world) {
      const attempt = await world.attempt();
      await world.exhaust();
      const before = await world.compute.list(world.owner, testCall());
      const failure = await failureOf(world.compute.create(attempt, testCall()));
      assert.equal(failure, 'no-capacity');
      assert.deepEqual(await world.compute.list(world.owner, testCall()), before);
    },
  },
  {
    rule: 'makes nothing once the call was aborted',
    async check(world) {
      const attempt = await world.attempt();
      const aborted: Call = { signal: AbortSignal.abort(new Error('no longer wanted')), deadline: Date.now() + 10_000 };
      await assert.rejects(world.compute.create(attempt, aborted), /no longer wanted/);
      assert.deepEqual(await world.compute.list(world.owner, testCall()), []);
    },
  },
  {
    rule: 'makes nothing past the deadline',
    async check(world) {
      const late: Call = { signal: new AbortController().signal, deadline: Date.now() - 1 };
      assert.equal(await failureOf(world.compute.create(await world.attempt(), late)), 'outage');
      assert.deepEqual(await world.compute.list(world.owner, testCall()), []);
    },
  },
  {
    rule: 'makes a group by one call, tells of each machine its own address, and ends all by any of them',
    async check(world) {
      const { groups } = world.compute;
      assert.equal(groups === undefined, world.group === undefined, 'a backend with groups has one to test');
      if (groups === undefined || world.group === undefined) return;
      const { attempt, size } = await world.group();
      const nodes = attempt.offer.group_nodes;
      assert.ok(nodes !== undefined && (nodes.min ?? 0) <= size && size <= (nodes.max ?? size), 'offered to its nodes');
      const first = refOf(await groups.create(attempt, size, testCall()));
      const again = refOf(await groups.create(attempt, size, testCall()));
      assert.equal(again.machineId, first.machineId);
      assert.equal((await world.compute.list(world.owner, testCall())).length, 1, 'listed once');
      const refs = [first, ...Array.from({ length: size - 1 }, (_, index) => groups.member(first, index + 1))];
      const addresses = new Set<string>();
      for (const ref of refs) {
        // As it is kept: read again, it is the same machine.
        const told = await ready(world, await world.compute.get(ref, testCall()));
        assert.ok(told.state === 'ready');
        const later = await world.compute.get(told.ref, testCall());
        assert.deepEqual(later.state === 'ready' ? later.agent : later.state, told.agent);
        assert.notEqual(told.internalIp, null, 'the nodes are told each other’s addresses');
        addresses.add(JSON.stringify(told.agent));
      }
      assert.equal(addresses.size, size, 'an address for each');
      await terminated(world, refs.at(-1) ?? first);
      for (const ref of refs) {
        assert.equal((await world.compute.get(ref, testCall())).state, 'gone');
        assert.equal(await world.compute.terminate(ref, testCall()), 'done');
      }
      assert.deepEqual(await world.compute.list(world.owner, testCall()), []);
    },
  },
];

/** What must hold too where a network lies between: answers get lost. */
export const WIRE_CASES: readonly ContractCase<ComputeOverAWire>[] = [
  {
    rule: 'finds the machine again whose create reply was lost',
    async check(world) {
      const attempt = await world.attempt();
      world.loseNextCreateReply();
      assert.equal(await failureOf(world.compute.create(attempt, testCall())), 'outage');
      const { idempotency } = world.definition;
      if (idempotency.kind === 'lookup') await sleep(idempotency.listLagMs);
      else await world.compute.create(attempt, testCall());
      const listed = await world.compute.list(world.owner, testCall());
      assert.deepEqual(
        listed.map((machine) => machine.ref.cloudName),
        [attempt.cloudName],
      );
    },
  },
  {
    rule: 'finds the group again whose create reply was lost, and ends all of it',
    async check(world) {
      const { groups } = world.compute;
      if (groups === undefined || world.group === undefined) return;
      const { attempt, size } = await world.group();
      world.loseNextCreateReply();
      assert.equal(await failureOf(groups.create(attempt, size, testCall())), 'outage');
      const { idempotency } = world.definition;
      if (idempotency.kind === 'lookup') await sleep(idempotency.listLagMs);
      else await groups.create(attempt, size, testCall());
      const [found, ...others] = await world.compute.list(world.owner, testCall());
      assert.ok(found !== undefined && others.length === 0, 'listed once');
      assert.equal(found.ref.cloudName, attempt.cloudName);
      for (let rank = 0; rank < size; rank += 1) {
        const ref = rank === 0 ? found.ref : groups.member(found.ref, rank);
        const state = await ready(world, await world.compute.get(ref, testCall()));
        assert.equal(state.state, 'ready', `machine ${rank}`);
      }
      await terminated(world, found.ref);
      assert.deepEqual(await world.compute.list(world.owner, testCall()), []);
    },
  },
];
