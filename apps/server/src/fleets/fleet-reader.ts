import type { Wire } from '@dstack/core';
import { ResourceNotExistsError } from '../http/api-errors.js';
import { toWireTime } from '../http/wire-time.js';
import type { InstanceReader } from '../instances/instance-reader.js';
import { findInstances } from '../instances/instance-record.js';
import type { ReadTx } from '../persistence/transaction.js';
import type { FleetRecord } from './fleet-record.js';

/** Fleets with their instances, as they leave on the wire. */
export class FleetReader {
  constructor(private readonly instances: InstanceReader) {}

  async one(tx: ReadTx, fleets: readonly FleetRecord[], what: string): Promise<Wire.Fleet> {
    const [wire] = await this.wire(tx, fleets);
    if (wire === undefined) throw new ResourceNotExistsError(`Fleet ${what} not found`);
    return wire;
  }

  async wire(tx: ReadTx, fleets: readonly FleetRecord[]): Promise<Wire.Fleet[]> {
    const wire: Wire.Fleet[] = [];
    for (const fleet of fleets) {
      const [project] = await tx.query<{ name: string }>('SELECT name FROM projects WHERE id = ?', [fleet.projectId]);
      const instances = await findInstances(tx, 'fleet_id = ? AND deleted = ? ORDER BY instance_num', [
        fleet.id,
        false,
      ]);
      wire.push({
        id: fleet.id,
        name: fleet.name,
        project_name: project?.name ?? '',
        spec: fleet.spec,
        created_at: toWireTime(fleet.createdAt),
        status: fleet.status,
        status_message: fleet.statusMessage,
        instances: await this.instances.wire(tx, instances),
      });
    }
    return wire;
  }
}
