import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '@dstack/core';
import { isBackendError, type BackendError } from '../backend-error.js';
import type { MachineRef, MachineState } from '../machine.js';
import type { ComputeUnderTest } from './compute-under-test.js';
import { testCall } from './test-environment.js';

export function refOf(state: MachineState): MachineRef {
  if (state.state === 'gone') throw new Error('a machine that was just created must not be gone');
  return state.ref;
}

/** The kind of the failure, or `no failure`; errors that are no BackendError break the contract and pass through. */
export async function failureOf(work: Promise<unknown>): Promise<BackendError['failure']['kind'] | 'no failure'> {
  try {
    await work;
    return 'no failure';
  } catch (error) {
    if (isBackendError(error)) return error.failure.kind;
    throw error;
  }
}

/** Asks until the machine is no longer pending, or as long as the fake may take. */
export async function ready(world: ComputeUnderTest, created: MachineState): Promise<MachineState> {
  let state = created;
  const until = Date.now() + world.settleMs;
  while (state.state === 'pending' && Date.now() < until) {
    await sleep(POLL_MS);
    state = await world.compute.get(state.ref, testCall());
  }
  return state;
}

export async function terminated(world: ComputeUnderTest, ref: MachineRef): Promise<void> {
  const until = Date.now() + world.settleMs;
  while ((await world.compute.terminate(ref, testCall())) !== 'done') {
    assert.ok(Date.now() < until, 'the machine was not terminated in time');
    await sleep(POLL_MS);
  }
}

export async function unknownRef(world: ComputeUnderTest): Promise<MachineRef> {
  const { cloudName, offer, zone } = await world.attempt();
  return { cloudName, machineId: null, region: offer.region, zone, backendData: null };
}

/** Anything of the kind. */
export function requirementsFor(spot: boolean): Wire.Requirements {
  return {
    resources: {
      cpu: { count: { min: 1, max: null } },
      memory: { min: 0, max: null },
      gpu: { count: { min: 0, max: null } },
      disk: null,
    },
    max_price: null,
    spot,
    reservation: null,
    multinode: false,
    backend_options: null,
  };
}

const POLL_MS = 20;
