import type { AgentApi } from '@dstack/agent-protocol';
import { idleLimitMs, kindOfOffer, powerOffAfterMs } from '@dstack/core';
import { findFleet } from '../fleets/fleet-record.js';
import type { InstanceRecord } from '../instances/instance-record.js';
import { tenureOf } from '../instances/tenure.js';
import type { ReadTogether } from '../persistence/together.js';

/**
 * A machine that is paid for must not outlive all servers: its agent is told when to power it off. Agents of before, and models, do not know
 * how. @returns after how long, in milliseconds; null: it stays on
 */
export async function armPowerOff(
  { reading }: { readonly reading: ReadTogether },
  api: AgentApi,
  instance: InstanceRecord,
  signal: AbortSignal,
): Promise<number | null> {
  const tenure = tenureOf(instance);
  // What was never told to power itself off needs not be told that it shall not.
  if (tenure !== 'rented' || api.armPowerOff === undefined) return null;
  const { fleetId, offer } = instance;
  const fleet = fleetId === null ? null : await reading.run((tx) => findFleet(tx, fleetId));
  const idle = idleLimitMs(instance, fleet?.spec ?? null);
  const afterMs = powerOffAfterMs({ tenure, kind: kindOfOffer(offer), idleLimitMs: idle });
  return (await api.armPowerOff(afterMs === null ? null : afterMs / 1000, signal)) ? afterMs : null;
}
