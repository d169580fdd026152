import { isDeepStrictEqual } from 'node:util';
import type { JobState } from '@dstack/agent-protocol';
import { Inject, Injectable } from '@nestjs/common';
import { findInstance } from '../instances/instance-record.js';
import { wakePeers } from '../jobs/gang.js';
import { findJobToChange, type JobRecord } from '../jobs/job-record.js';
import { provisioningDataOf } from '../jobs/provisioning-data.js';
import { Database } from '../persistence/database.js';
import { type WriteTogether, writeTogether } from '../persistence/together.js';
import { updateById } from '../persistence/update-by-id.js';
import type { WriteTx } from '../persistence/transaction.js';
import { writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';

const changeState = updateById({
  table: 'jobs',
  values: { runtime_data: 'text' },
  set: (value) => `runtime_data = ${value('runtime_data')}, rev = t.rev + 1`,
});

const changeProgress = updateById({
  table: 'jobs',
  values: { agent_revision: 'integer', inactivity_secs: 'bigint', pull_progress: 'text' },
  set: (value) =>
    `agent_revision = ${value('agent_revision')}, inactivity_secs = ${value('inactivity_secs')}, pull_progress = ${value('pull_progress')}`,
});

/** Brings what agents tell about jobs into the job rows. States are levels: only a higher revision counts. */
@Injectable()
export class JobStates {
  /** What many hosts tell at the same time. */
  private readonly writing: WriteTogether;

  constructor(
    db: Database,
    @Inject(Wake) private readonly wake: Wake,
  ) {
    this.writing = writeTogether(db);
  }

  async record(instanceId: string, states: readonly JobState[]): Promise<void> {
    if (states.length === 0) return;
    await this.writing.run(async (tx) => {
      for (const state of states) await this.recordOne(tx, instanceId, state);
    });
  }

  /** The agent does not know jobs it was sent: those that had started are lost, the others are sent again. */
  async missing(instanceId: string, jobIds: readonly string[], now: number): Promise<void> {
    if (jobIds.length === 0) return;
    await this.writing.run(async (tx) => {
      for (const id of jobIds) {
        const job = await findJobToChange(tx, id);
        if (job === null || job.instanceId !== instanceId || job.runtimeRecord.agent === null) continue;
        const hasStarted = job.status === 'pulling' || job.status === 'running' || job.status === 'terminating';
        const { agent } = job.runtimeRecord;
        const lost: JobState = {
          ...agent,
          phase: 'finished',
          finishedAt: now,
          reason: 'executor_error',
          message: 'the agent lost the job: its directory on the host is gone',
          logEnd: { job: 0, runner: 0 },
        };
        await this.write(tx, id, hasStarted && agent.phase !== 'finished' ? lost : null, job.runtimeRecord);
      }
    });
  }

  private async recordOne(tx: WriteTx, instanceId: string, state: JobState): Promise<void> {
    const job = await findJobToChange(tx, state.id);
    if (job === null || job.instanceId !== instanceId) return;
    const known = job.runtimeRecord.agent;
    if (known !== null && known.revision >= state.revision) return;
    await this.write(tx, job.id, state, job.runtimeRecord);
    await changeProgress(tx, {
      id: job.id,
      agent_revision: state.revision,
      inactivity_secs: state.noConnectionsSeconds ?? null,
      pull_progress: state.pull === undefined ? null : writeJson(toWirePull(state.pull)),
    });
    await this.writeAddress(tx, job, instanceId, state);
    // Who sent it there may have lost the race against a stop, and not have said so: from the first word on it has a log to be taken.
    if (known === null) this.wake.host(tx, 'logs', instanceId);
  }

  private async writeAddress(tx: WriteTx, job: JobRecord, instanceId: string, state: JobState): Promise<void> {
    const known = job.provisioningData;
    if (known === null) return;
    // Assigned before the cloud had an address for it; an agent that speaks has one.
    const instance = known.hostname === null ? await findInstance(tx, instanceId) : null;
    const machine = instance === null ? known : provisioningDataOf(instance);
    // Behind a host the job's port is one of the host's own; without one it is the machine's.
    const direct = machine.dockerized
      ? {}
      : { ssh_port: state.sshPort ?? machine.ssh_port ?? null, username: state.username ?? machine.username };
    const data = { ...machine, ...direct };
    if (isDeepStrictEqual(data, known)) return;
    // Peers may have waited for the address.
    if (instance !== null) await wakePeers(tx, this.wake, job);
    await tx.execute('UPDATE jobs SET provisioning_data = ? WHERE id = ?', [writeJson(data), job.id]);
  }

  private async write(tx: WriteTx, jobId: string, agent: JobState | null, record: object): Promise<void> {
    await changeState(tx, { id: jobId, runtime_data: writeJson({ ...record, agent }) });
    await this.wake.rows(tx, 'jobs', [jobId]);
  }
}

function toWirePull(pull: NonNullable<JobState['pull']>) {
  return {
    downloaded_bytes: pull.downloadedBytes,
    extracted_bytes: pull.extractedBytes,
    total_bytes: pull.totalBytes,
    is_total_bytes_final: pull.isTotalFinal,
  };
}
