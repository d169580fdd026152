import { resourceRejections, type Wire } from '@dstack/core';
import type { LocalMachine } from './local-machine.js';

/** The part of the machine that one instance holds. */
export interface Allocation {
  readonly cpus: number;
  readonly memoryMib: number;
  /** Positions in the machine's list of GPUs. */
  readonly gpus: readonly number[];
}

export interface ShapedAllocation extends Allocation {
  /** Why it does not fit into what is free, for people; null: it does. */
  readonly lacks: string | null;
}

const SMALLEST_MEMORY_MIB = 256;

/**
 * The least that meets the request. It is shaped even when the machine is too small or full, so that a plan can show what is missing.
 */
export function shapeAllocation(
  machine: LocalMachine,
  held: readonly Allocation[],
  resources: Wire.ResourcesSpec,
): ShapedAllocation {
  const wanted = {
    cpus: Math.max(1, resources.cpu?.count?.min ?? 1),
    memoryMib: Math.max(SMALLEST_MEMORY_MIB, Math.ceil((resources.memory?.min ?? 0) * 1024)),
    gpus: resources.gpu?.count?.min ?? 0,
  };
  const heldGpus = new Set(held.flatMap((each) => each.gpus));
  const suitable = machine.gpus
    .map((_gpu, index) => index)
    .filter((index) => isSuitable(machine, index, resources.gpu));
  const free = suitable.filter((index) => !heldGpus.has(index));
  const gpus = (free.length >= wanted.gpus ? free : suitable).slice(0, wanted.gpus);
  return {
    cpus: wanted.cpus,
    memoryMib: wanted.memoryMib,
    gpus,
    lacks: whatLacks(machine, held, wanted, { suitable, free }),
  };
}

/** Everything that nobody holds, for offers that are not shrunk to the request. */
export function freeAllocation(machine: LocalMachine, held: readonly Allocation[]): Allocation {
  const heldGpus = new Set(held.flatMap((each) => each.gpus));
  return {
    cpus: machine.cpus - sum(held.map((each) => each.cpus)),
    memoryMib: machine.memoryMib - sum(held.map((each) => each.memoryMib)),
    gpus: machine.gpus.map((_gpu, index) => index).filter((index) => !heldGpus.has(index)),
  };
}

export type Claim =
  { readonly ok: true; readonly allocation: Allocation } | { readonly ok: false; readonly lacks: string };

/**
 * Turns what was planned earlier into what is held from now on. Devices that somebody took meanwhile are replaced by equal ones: the
 * nodes of one run are planned from one offer.
 */
export function claimAllocation(machine: LocalMachine, held: readonly Allocation[], wanted: Allocation): Claim {
  const lacks = whatLacksBeside(machine, held, wanted);
  if (lacks !== null) return { ok: false, lacks };
  const free = new Set(freeAllocation(machine, held).gpus);
  const gpus: number[] = [];
  for (const index of wanted.gpus) {
    const device = free.has(index) ? index : [...free].find((other) => isEqualDevice(machine, index, other));
    if (device === undefined) {
      const name = machine.gpus[index]?.name ?? `number ${index}`;
      return { ok: false, lacks: `${wanted.gpus.length} ${name} gpus needed, ${gpus.length} free` };
    }
    free.delete(device);
    gpus.push(device);
  }
  return { ok: true, allocation: { cpus: wanted.cpus, memoryMib: wanted.memoryMib, gpus } };
}

function isEqualDevice(machine: LocalMachine, a: number, b: number): boolean {
  const one = machine.gpus[a];
  const other = machine.gpus[b];
  return one !== undefined && one.name === other?.name && one.memory_mib === other.memory_mib;
}

function whatLacksBeside(
  machine: LocalMachine,
  held: readonly Allocation[],
  wanted: Pick<Allocation, 'cpus' | 'memoryMib'>,
): string | null {
  const free = freeAllocation(machine, held);
  if (wanted.cpus > free.cpus) return `${wanted.cpus} cpus needed, ${free.cpus} of ${machine.cpus} free`;
  if (wanted.memoryMib <= free.memoryMib) return null;
  return `${gb(wanted.memoryMib)} memory needed, ${gb(free.memoryMib)} of ${gb(machine.memoryMib)} free`;
}

function whatLacks(
  machine: LocalMachine,
  held: readonly Allocation[],
  wanted: { cpus: number; memoryMib: number; gpus: number },
  gpus: { suitable: readonly number[]; free: readonly number[] },
): string | null {
  if (wanted.cpus > machine.cpus) return `this machine has ${machine.cpus} cpus, ${wanted.cpus} needed`;
  if (wanted.memoryMib > machine.memoryMib) {
    return `this machine has ${gb(machine.memoryMib)} memory, ${gb(wanted.memoryMib)} needed`;
  }
  if (wanted.gpus > gpus.suitable.length) {
    return `this machine has ${gpus.suitable.length} suitable gpus, ${wanted.gpus} needed`;
  }
  if (wanted.gpus > gpus.free.length)
    return `${wanted.gpus} gpus needed, ${gpus.free.length} of ${gpus.suitable.length} free`;
  return whatLacksBeside(machine, held, wanted);
}

// One device at a time: counts and totals are checked on the whole offer.
function isSuitable(machine: LocalMachine, index: number, spec: Wire.ResourcesSpec['gpu']): boolean {
  const gpu = machine.gpus[index];
  if (gpu === undefined) return false;
  if (!spec) return true;
  const perDevice = { gpu: { ...spec, count: { min: 1, max: null }, total_memory: null } };
  const resources = { cpus: 1, memory_mib: 0, gpus: [gpu], spot: false };
  return resourceRejections(perDevice, resources).length === 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function gb(mib: number): string {
  return `${Math.floor((mib / 1024) * 10) / 10}GB`;
}
