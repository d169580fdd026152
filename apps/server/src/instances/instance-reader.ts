import { Injectable } from '@nestjs/common';
import type { ReadTx } from '../persistence/transaction.js';
import type { InstanceRecord } from './instance-record.js';
import { type ExplainedInstance, toWireInstance } from './instance-view.js';

/** Instance rows as clients see them. */
@Injectable()
export class InstanceReader {
  async wire(tx: ReadTx, instances: readonly InstanceRecord[]): Promise<ExplainedInstance[]> {
    const wire: ExplainedInstance[] = [];
    for (const instance of instances) {
      const [names] = await tx.query<{ project_name: string; fleet_name: string | null }>(
        `SELECT p.name AS project_name, f.name AS fleet_name FROM instances i JOIN projects p ON p.id = i.project_id
         LEFT JOIN fleets f ON f.id = i.fleet_id WHERE i.id = ?`,
        [instance.id],
      );
      const [job] = await tx.query<{ job_spec: string }>(
        'SELECT job_spec FROM jobs WHERE instance_id = ? ORDER BY submitted_at LIMIT 1',
        [instance.id],
      );
      wire.push(
        toWireInstance({
          instance,
          projectName: names?.project_name ?? '',
          fleetName: names?.fleet_name ?? null,
          jobName: job === undefined ? null : (JSON.parse(job.job_spec) as { job_name: string }).job_name, // written at submission
        }),
      );
    }
    return wire;
  }
}
