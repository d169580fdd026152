import type { Idempotency } from '@dstack/backend-base';
import type { InternalBackendType, MachineKind } from '@dstack/core';
import { RandomSource } from '../random-source.js';
import type { SimulationOptions } from '../simulation-options.js';
import type { Surroundings } from '../surroundings.js';
import { SimulatedCloud } from './simulated-cloud.js';

const KINDS: readonly Idempotency[] = [{ kind: 'token' }, { kind: 'name' }, { kind: 'lookup', listLagMs: 20_000 }];
const VERY_LATE_MS = [5_000, 900_000] as const;
/** Clouds that sell machines which are made by one call. */
const GROUPS = 0.4;
const HAS_CONTAINERS = 0.4;

/** One or two clouds of hosts, and sometimes one of containers. What came later has a stream of its own: the stories without it are told as before. */
export function drawClouds(
  options: Pick<SimulationOptions, 'seed' | 'creates'>,
  around: Surroundings,
  installation: string,
): SimulatedCloud[] {
  const { random } = around;
  const together = new RandomSource(options.seed + 4_000_004);
  const createLateMs = mayComeVeryLate(options) ? VERY_LATE_MS : null;
  const draw = (type: InternalBackendType, kind: MachineKind): SimulatedCloud => {
    const drawn = random.pick(KINDS);
    const idempotency = KINDS.find((each) => each.kind === options.creates) ?? drawn;
    return new SimulatedCloud(type, kind, idempotency, around, installation, createLateMs, together.chance(GROUPS));
  };
  const types = random.chance(0.5) ? (['aws'] as const) : (['aws', 'gcp'] as const);
  const clouds = types.map((type) => draw(type, 'hosts'));
  const hasContainers = new RandomSource(options.seed + 1_000_003).chance(HAS_CONTAINERS);
  return hasContainers ? [...clouds, draw('runpod', 'containers')] : clouds;
}

/** Calls that nobody can repeat may come later than anybody waits for them. */
export function mayComeVeryLate({ creates }: Pick<SimulationOptions, 'creates'>): boolean {
  return creates === 'lookup';
}
